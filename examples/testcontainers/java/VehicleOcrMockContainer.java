import org.testcontainers.containers.GenericContainer;
import org.testcontainers.containers.wait.strategy.Wait;
import org.testcontainers.utility.DockerImageName;
import org.testcontainers.utility.MountableFile;

/**
 * The mock in a container, by Testcontainers for Java. Build the image first: docker build -t vehicle-ocr-mock .
 *
 * <pre>{@code
 * @Container
 * static final VehicleOcrMockContainer MOCK = new VehicleOcrMockContainer().withFixtures("src/test/resources/fixtures");
 * }</pre>
 *
 * It needs org.testcontainers:testcontainers and org.testcontainers:junit-jupiter.
 */
public class VehicleOcrMockContainer extends GenericContainer<VehicleOcrMockContainer> {
    /** Every call below /__admin needs the header {@code Authorization: Bearer} with it. */
    public static final String TOKEN = "for-tests-only";

    public VehicleOcrMockContainer() {
        super(DockerImageName.parse("vehicle-ocr-mock"));
        withExposedPorts(8080);
        withEnv("VEHICLE_OCR_MOCK_ADMIN_TOKEN", TOKEN);
        waitingFor(Wait.forHttp("/healthz").forPort(8080).forStatusCode(200));
    }

    /** Serves a copy of this directory. Without it, the shipped fixtures are served. */
    public VehicleOcrMockContainer withFixtures(String directory) {
        return withCopyFileToContainer(MountableFile.forHostPath(directory), "/config");
    }

    /** The address of the mock, without a slash at the end. */
    public String url() {
        return "http://" + getHost() + ":" + getMappedPort(8080);
    }
}
