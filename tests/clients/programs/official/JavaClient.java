// The requests of CarsXE's Java client: HttpURLConnection, the JSON put together as text.
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.HttpURLConnection;
import java.net.URL;

public class JavaClient {
    public static void main(String[] arguments) throws Exception {
        var lines = new BufferedReader(new InputStreamReader(System.in));
        for (String line; (line = lines.readLine()) != null;) {
            var words = line.split("\t");
            var url = new URL(words[0] + "?key=" + words[1] + "&source=java");
            var connection = (HttpURLConnection) url.openConnection();
            connection.setRequestMethod("POST");
            connection.setRequestProperty("Content-Type", "application/json");
            connection.setDoOutput(true);
            connection.getOutputStream().write(("{\"image\":\"" + words[2] + "\"}").getBytes("UTF-8"));
            int status = connection.getResponseCode();
            var stream = status < 400 ? connection.getInputStream() : connection.getErrorStream();
            System.out.println(status + "\t" + new String(stream.readAllBytes(), "UTF-8").replace("\n", " "));
        }
    }
}
