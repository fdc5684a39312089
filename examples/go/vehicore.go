// VehiCore's documented Go call. Usage: go run vehicore.go plate|vin IMAGE
// VEHICORE_URL may name another host; VEHICORE_API_KEY is the key.
package main

import (
	"bytes"
	"io"
	"log"
	"mime/multipart"
	"net/http"
	"os"
)

func main() {
	product, image := os.Args[1], os.Args[2]
	host := os.Getenv("VEHICORE_URL")
	if host == "" {
		host = "https://vehicore-api.dev-stage.fyi"
	}

	body := &bytes.Buffer{}
	w := multipart.NewWriter(body)
	f, _ := os.Open(image)
	part, _ := w.CreateFormFile("image", product+".jpg")
	io.Copy(part, f)
	f.Close()
	w.WriteField("userLanguage", "en")
	w.Close()

	req, _ := http.NewRequest("POST", host+"/api/ocr/"+product, body)
	req.Header.Set("X-API-Key", os.Getenv("VEHICORE_API_KEY"))
	req.Header.Set("Content-Type", w.FormDataContentType())
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Body.Close()
	io.Copy(os.Stdout, resp.Body)
}
