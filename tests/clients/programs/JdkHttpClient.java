// The JDK's HttpClient with its default settings: on plain HTTP it offers an upgrade to HTTP/2.
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;

public class JdkHttpClient {
    static final String BOUNDARY = "6d2f";

    static byte[] form(Path image) throws Exception {
        var body = new ByteArrayOutputStream();
        var head = "--%s\r\nContent-Disposition: form-data; name=\"image\"; filename=\"%s\"\r\n"
            + "Content-Type: image/jpeg\r\n\r\n";
        body.write(head.formatted(BOUNDARY, image.getFileName()).getBytes());
        body.write(Files.readAllBytes(image));
        body.write(("\r\n--" + BOUNDARY + "--\r\n").getBytes());
        return body.toByteArray();
    }

    public static void main(String[] arguments) throws Exception {
        var client = HttpClient.newHttpClient();
        var lines = new BufferedReader(new InputStreamReader(System.in));
        for (String line; (line = lines.readLine()) != null;) {
            var words = line.split("\t");
            var request = HttpRequest.newBuilder(URI.create(words[1]));
            if (words[0].equals("upload")) {
                request.header("X-API-Key", words[2])
                    .header("Content-Type", "multipart/form-data; boundary=" + BOUNDARY)
                    .POST(BodyPublishers.ofByteArray(form(Path.of(words[3]))));
            } else {
                request.header("Content-Type", "application/json").POST(BodyPublishers.ofString(words[2]));
            }
            var reply = client.send(request.build(), BodyHandlers.ofString());
            System.out.println(reply.statusCode() + "\t" + reply.body().replace("\n", " "));
        }
    }
}
