"""The shapes of vehicles seen from behind or from the front, in millimetres.

x counts from the vehicle's middle, y from the ground up; only the right half is given, the left mirrors it.
"""

from dataclasses import dataclass

Point = tuple[float, float]
Half = tuple[Point, ...]
"""The right half of an outline that is symmetric, from top middle to bottom middle."""


@dataclass(frozen=True, slots=True)
class Lamp:
    """A pair of lamps: the right one's outline, and its kind: `tail`, `head`, `turn`, `reflector` or `fog`."""

    outline: tuple[Point, ...]
    kind: str


@dataclass(frozen=True, slots=True)
class Body:
    """One vehicle seen from one end. `kind` is the type that recognisers report."""

    kind: str
    front: bool
    half_width: float
    height: float
    shell: Half
    cabin: Half
    glass: Half
    profile: tuple[tuple[float, float], ...]
    lamps: tuple[Lamp, ...]
    dark: tuple[Half, ...]
    seams: tuple[tuple[Point, ...], ...]
    plate_y: float
    recess: Half | None = None
    tyre: tuple[float, float, float] = (610, 850, 330)
    mirror_y: float = 1000
    handles: tuple[tuple[float, float, float, float], ...] = ()
    exhaust: bool = False
    rails: bool = False


def _points(written: str) -> Half:
    """Points written as `x,y x,y …`."""
    pairs = (pair.split(",") for pair in written.split())
    return tuple((float(x), float(y)) for x, y in pairs)


SEDAN_REAR = Body(
    kind="Sedan",
    front=False,
    half_width=905,
    height=1450,
    plate_y=700,
    shell=_points("0,985 500,980 720,955 820,920 880,830 905,680 900,480 880,330 840,250 700,225 0,215"),
    cabin=_points("0,1450 330,1440 520,1405 600,1350 690,1170 770,1010 820,920 700,880 0,880"),
    glass=_points("0,1385 330,1375 500,1335 560,1270 640,1080 660,1020 600,1000 0,1005"),
    profile=_points(
        "985,0.95 940,0.75 905,0.35 860,0.12 700,0.02 600,-0.06 560,0.45 535,0.2 450,0 340,-0.2 215,-0.75"
    ),
    lamps=(
        Lamp(_points("540,835 700,850 862,838 886,780 892,690 840,672 700,690 560,706 535,770"), "tail"),
        Lamp(_points("690,395 850,405 850,372 690,366"), "reflector"),
    ),
    dark=(_points("0,345 500,345 640,318 700,250 690,228 0,218"),),
    seams=(
        _points("0,560 520,565 560,590 600,700"),
        _points("585,850 620,960"),
        _points("880,560 760,565 520,565"),
    ),
    recess=_points("0,800 300,800 340,785 335,620 300,600 0,600"),
    tyre=(610, 850, 330),
    mirror_y=1000,
    exhaust=True,
)
HATCH_REAR = Body(
    kind="Sedan",
    front=False,
    half_width=880,
    height=1490,
    plate_y=640,
    shell=_points("0,960 600,955 740,940 820,890 862,780 880,640 878,460 860,330 820,245 700,220 0,212"),
    cabin=_points("0,1490 380,1482 560,1450 640,1390 720,1180 790,1000 822,890 700,860 0,860"),
    glass=_points("0,1400 380,1392 540,1360 600,1290 660,1100 670,1030 620,1000 0,985"),
    profile=_points(
        "960,0.6 900,0.35 840,0.15 700,0.02 560,-0.12 530,0.55 505,0.25 420,0 330,-0.25 212,-0.8"
    ),
    lamps=(
        Lamp(_points("640,1010 740,985 838,850 862,740 830,700 690,720 600,760 600,800 690,830"), "tail"),
        Lamp(_points("640,350 800,362 800,328 640,320"), "reflector"),
    ),
    dark=(_points("0,400 420,400 560,370 700,250 690,224 0,214"),),
    seams=(
        _points("0,545 560,548 640,575 690,720"),
        _points("640,860 690,1010"),
    ),
    recess=_points("0,735 300,735 330,720 325,565 300,552 0,552"),
    tyre=(610, 850, 330),
    mirror_y=1000,
    exhaust=True,
)
SUV_REAR = Body(
    kind="SUV",
    front=False,
    half_width=950,
    height=1720,
    plate_y=800,
    shell=_points("0,1160 700,1155 830,1130 900,1060 935,900 950,700 945,480 920,370 860,300 700,280 0,275"),
    cabin=_points("0,1720 460,1712 640,1680 720,1620 790,1400 850,1180 900,1060 760,1020 0,1020"),
    glass=_points("0,1620 440,1612 610,1580 665,1500 720,1290 735,1210 690,1180 0,1165"),
    profile=_points(
        "1160,0.5 1100,0.3 1000,0.1 850,0.02 690,-0.1 660,0.55 630,0.25 540,0 420,-0.2 275,-0.75"
    ),
    lamps=(
        Lamp(_points("690,1130 820,1110 900,1030 930,900 925,860 840,850 740,880 700,960"), "tail"),
        Lamp(_points("720,470 880,482 880,444 720,436"), "reflector"),
    ),
    dark=(_points("0,560 480,560 640,540 780,540 860,560 940,540 930,380 860,300 700,282 0,277"),),
    seams=(
        _points("0,655 620,660 690,690 730,860"),
        _points("700,980 740,1150"),
    ),
    recess=_points("0,900 310,900 345,885 340,720 310,705 0,705"),
    tyre=(660, 920, 400),
    mirror_y=1230,
    rails=True,
)
PICKUP_REAR = Body(
    kind="Pickup Truck",
    front=False,
    half_width=1000,
    height=1860,
    plate_y=575,
    shell=_points("0,1190 880,1190 940,1180 970,1120 985,900 1000,720 990,640 960,560 860,520 0,515"),
    cabin=_points("0,1860 480,1855 640,1830 710,1780 760,1560 800,1340 830,1190 700,1100 0,1100"),
    glass=_points("0,1760 470,1755 600,1735 640,1680 690,1450 705,1330 670,1300 0,1300"),
    profile=_points("1190,0.9 1165,0.45 1130,0.05 1000,0.12 940,-0.1 800,0.02 700,-0.05 515,-0.6"),
    lamps=(Lamp(_points("850,1150 930,1140 962,1090 975,900 968,800 870,800 850,860"), "tail"),),
    dark=(_points("0,660 300,660 330,655 980,650 985,540 940,480 330,470 280,500 0,500"),),
    seams=(
        _points("835,1185 835,670"),
        _points("0,690 835,690"),
    ),
    tyre=(690, 960, 480),
    mirror_y=1420,
    handles=((0, 1075, 110, 42),),
)
VAN_REAR = Body(
    kind="Van",
    front=False,
    half_width=980,
    height=2260,
    plate_y=760,
    shell=_points(
        "0,2250 620,2240 800,2200 880,2080 930,1500 970,1000 980,700 975,480 950,360 860,310 0,300"
    ),
    cabin=_points("0,2260 600,2250 780,2210 870,2090 900,1900 600,1880 0,1880"),
    glass=_points("0,1960 600,1955 760,1930 790,1880 830,1400 820,1330 760,1310 0,1310"),
    profile=_points("2260,0.9 2180,0.3 2000,0.1 1300,0.05 900,0 640,-0.05 610,0.5 580,0.2 450,-0.1 300,-0.7"),
    lamps=(
        Lamp(_points("880,1260 935,1240 962,900 965,800 900,800 880,860"), "tail"),
        Lamp(_points("720,480 880,490 880,455 720,448"), "reflector"),
    ),
    dark=(_points("0,600 960,600 970,500 950,370 860,314 0,304"),),
    seams=(
        _points("0,2180 0,620"),
        _points("850,2080 862,640"),
        _points("0,640 862,640"),
    ),
    recess=_points("0,860 310,860 340,845 335,680 310,665 0,665"),
    tyre=(680, 900, 420),
    mirror_y=1500,
    handles=((120, 1130, 60, 130),),
)
SEDAN_FRONT = Body(
    kind="Sedan",
    front=True,
    half_width=905,
    height=1440,
    plate_y=405,
    shell=_points("0,985 480,975 700,930 800,880 868,780 898,640 905,480 890,330 850,240 700,205 0,195"),
    cabin=_points("0,1440 330,1430 510,1395 590,1340 690,1160 770,1000 800,900 700,870 0,880"),
    glass=_points("0,1380 330,1370 490,1330 555,1260 660,1070 690,985 600,985 0,1005"),
    profile=_points(
        "985,0.98 900,0.88 800,0.72 735,0.35 700,0.05 600,0.02 520,-0.05 480,0.3 400,0.02 300,-0.25 195,-0.75"
    ),
    lamps=(
        Lamp(_points("500,700 620,735 780,790 868,800 886,730 850,690 700,655 540,640"), "head"),
        Lamp(_points("690,375 840,390 850,330 700,318"), "fog"),
    ),
    dark=(
        _points("0,700 380,698 450,680 420,560 370,520 0,512"),
        _points("0,330 520,330 600,310 570,225 0,215"),
    ),
    seams=(_points("0,728 400,725 520,745 760,850 790,890"),),
    tyre=(610, 850, 330),
    mirror_y=1000,
)
SUV_FRONT = Body(
    kind="SUV",
    front=True,
    half_width=945,
    height=1700,
    plate_y=560,
    shell=_points("0,1170 600,1160 760,1120 860,1060 915,940 940,760 945,560 925,400 870,310 700,280 0,270"),
    cabin=_points("0,1700 440,1692 620,1660 700,1600 780,1380 840,1180 860,1060 740,1020 0,1020"),
    glass=_points("0,1630 420,1622 590,1590 650,1520 750,1270 780,1180 690,1170 0,1185"),
    profile=_points("1170,0.98 1080,0.85 1000,0.6 950,0.2 920,0.04 700,0 640,0.3 520,0 400,-0.25 270,-0.75"),
    lamps=(
        Lamp(_points("530,920 700,950 860,965 905,930 915,850 850,820 560,820"), "head"),
        Lamp(_points("700,500 850,510 860,430 710,420"), "fog"),
    ),
    dark=(
        _points("0,940 430,938 500,920 470,740 420,680 0,670"),
        _points("0,470 560,470 640,440 860,380 820,300 700,285 0,276"),
    ),
    seams=(_points("0,965 480,962 700,985 850,1040 870,1060"),),
    tyre=(660, 915, 390),
    mirror_y=1230,
    rails=True,
)

BODIES: dict[str, Body] = {
    "sedan": SEDAN_REAR,
    "hatchback": HATCH_REAR,
    "suv": SUV_REAR,
    "pickup": PICKUP_REAR,
    "van": VAN_REAR,
    "sedan-front": SEDAN_FRONT,
    "suv-front": SUV_FRONT,
}
"""Name of a view to its shape."""
