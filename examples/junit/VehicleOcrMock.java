import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** Starts the mock on a free port before the tests of a class. Copy this file; it needs JUnit 5 and Java 17. */
public class VehicleOcrMock implements BeforeAllCallback, AfterAllCallback {
    private static final Pattern READY = Pattern.compile("vehicle-ocr-mock ready on (\\S+).*");
    private static final Pattern KEY = Pattern.compile("\"key\"\\s*:\\s*\"([^\"]+)\"");

    private final HttpClient client = HttpClient.newHttpClient();
    private final String[] options;
    private Process server;
    private String url;

    /** The options are those of {@code serve}, such as a fixtures directory. */
    public VehicleOcrMock(String... options) {
        this.options = options;
    }

    /** The address of the mock, without a slash at the end. */
    public String url() {
        return url;
    }

    @Override
    public void beforeAll(ExtensionContext context) throws IOException {
        var command = new ArrayList<>(List.of("vehicle-ocr-mock", "serve", "--port", "0"));
        command.addAll(List.of(options));
        server = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        // The process of the tests may end without afterAll.
        Runtime.getRuntime().addShutdownHook(new Thread(server::destroy));
        var lines = new BufferedReader(new InputStreamReader(server.getInputStream()));
        for (String line; (line = lines.readLine()) != null;) {
            var ready = READY.matcher(line);
            if (ready.matches()) {
                url = ready.group(1);
                return;
            }
        }
        throw new IOException("vehicle-ocr-mock has ended before it was ready");
    }

    @Override
    public void afterAll(ExtensionContext context) throws InterruptedException {
        server.destroy();
        server.waitFor();
    }

    /** The key of a new account; {@code fields} is JSON, such as {@code {"credits": {"plate": 1}}}. */
    public String account(String fields) throws Exception {
        var key = KEY.matcher(admin("POST", "/accounts", fields));
        if (!key.find()) {
            throw new IOException("no key in the reply");
        }
        return key.group(1);
    }

    /** Calls the admin API below /__admin; gives the reply, JSON. */
    public String admin(String method, String path, String document) throws Exception {
        var request = HttpRequest.newBuilder(URI.create(url + "/__admin" + path))
            .header("Content-Type", "application/json")
            .method(method, HttpRequest.BodyPublishers.ofString(document));
        var reply = client.send(request.build(), BodyHandlers.ofString());
        if (reply.statusCode() >= 400) {
            throw new IOException(reply.statusCode() + " " + reply.body());
        }
        return reply.body();
    }
}
