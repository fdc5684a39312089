// VehiCore's documented Java call (OkHttp 4). Usage: java -cp 'okhttp.jar:okio.jar:…' Vehicore.java plate|vin IMAGE
// VEHICORE_URL may name another host; VEHICORE_API_KEY is the key.
import java.io.File;
import okhttp3.*;

public class Vehicore {
    public static void main(String[] args) throws Exception {
        String product = args[0], image = args[1];
        String host = System.getenv().getOrDefault("VEHICORE_URL", "https://vehicore-api.dev-stage.fyi");

        RequestBody body = new MultipartBody.Builder()
            .setType(MultipartBody.FORM)
            .addFormDataPart("image", product + ".jpg",
                RequestBody.create(new File(image), MediaType.parse("image/jpeg")))
            .addFormDataPart("userLanguage", "en")
            .build();
        Request request = new Request.Builder()
            .url(host + "/api/ocr/" + product)
            .header("X-API-Key", System.getenv("VEHICORE_API_KEY"))
            .post(body)
            .build();
        OkHttpClient client = new OkHttpClient();
        try (Response response = client.newCall(request).execute()) {
            System.out.println(response.body().string());
        }
    }
}
