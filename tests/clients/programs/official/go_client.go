// The requests of CarsXE's Go client: a JSON encoder with its line end, the query through url.Values.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

func main() {
	client := &http.Client{Timeout: 60 * time.Second}
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		words := strings.Split(lines.Text(), "\t")
		address, err := url.Parse(words[0])
		check(err)
		address.RawQuery = url.Values{"key": {words[1]}, "source": {"go"}}.Encode()
		var body bytes.Buffer
		check(json.NewEncoder(&body).Encode(map[string]string{"image": words[2]}))
		request, err := http.NewRequest(http.MethodPost, address.String(), &body)
		check(err)
		request.Header.Set("Content-Type", "application/json")
		reply, err := client.Do(request)
		check(err)
		var answer any
		check(json.NewDecoder(reply.Body).Decode(&answer))
		reply.Body.Close()
		text, err := json.Marshal(answer)
		check(err)
		fmt.Printf("%d\t%s\n", reply.StatusCode, text)
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
