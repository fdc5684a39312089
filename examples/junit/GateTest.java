import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class GateTest {
    @RegisterExtension
    static final VehicleOcrMock MOCK = new VehicleOcrMock();

    /** The call of the application. In production the address is https://api.carsxe.com. */
    static HttpResponse<String> readPlate(String url, String key, String picture) throws Exception {
        var request = HttpRequest.newBuilder(URI.create(url + "/platerecognition?key=" + key))
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString("{\"image_url\": \"" + picture + "\"}"));
        return HttpClient.newHttpClient().send(request.build(), BodyHandlers.ofString());
    }

    @Test
    void aCarAtTheGate() throws Exception {
        var key = MOCK.account("{}");
        var reply = readPlate(MOCK.url(), key, MOCK.url() + "/images/california-sedan.jpg");

        assertEquals(200, reply.statusCode());
        assertTrue(reply.body().contains("\"9djc652\""), reply.body());
        assertTrue(MOCK.admin("POST", "/requests/count", "{\"key\": \"" + key + "\"}").contains("1"));
    }

    @Test
    void theQuotaIsUsedUp() throws Exception {
        var key = MOCK.account("{\"quota\": {\"plate\": 0}}");

        assertEquals(429, readPlate(MOCK.url(), key, MOCK.url() + "/images/california-sedan.jpg").statusCode());
    }
}
