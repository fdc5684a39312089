"""Proxies, which must not get the traffic for names that lead to this machine."""

from collections.abc import Mapping, Sequence

_PROXIES = ("http_proxy", "https_proxy", "all_proxy")


def without_proxy(names: Sequence[str], environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that keep `names` away from a proxy; none where no proxy is set.

    Setting them all the same would make some libraries forget the proxy that the system itself names.
    """
    if not any(environ.get(spelt) for proxy in _PROXIES for spelt in (proxy, proxy.upper())):
        return {}
    already = environ.get("no_proxy") or environ.get("NO_PROXY") or ""
    spared = ",".join(dict.fromkeys([*filter(None, already.split(",")), *names]))
    return {"no_proxy": spared, "NO_PROXY": spared}
