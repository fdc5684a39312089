// The requests of CarsXE's .NET client: HttpClient with StringContent.
using System;
using System.Net.Http;
using System.Text;

class DotnetClient {
    static void Main() {
        var client = new HttpClient();
        for (string line; (line = Console.ReadLine()) != null;) {
            var words = line.Split('\t');
            var content = new StringContent("{\"image\":\"" + words[2] + "\"}", Encoding.UTF8, "application/json");
            var reply = client.PostAsync(words[0] + "?key=" + words[1] + "&source=c%23", content).Result;
            var body = reply.Content.ReadAsStringAsync().Result.Replace("\n", " ");
            Console.WriteLine((int) reply.StatusCode + "\t" + body);
        }
    }
}
