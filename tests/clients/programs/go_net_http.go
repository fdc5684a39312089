// net/http with mime/multipart. CreateFormFile declares application/octet-stream.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"strings"
)

func upload(url, key, path string) *http.Request {
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile("image", filepath.Base(path))
	check(err)
	image, err := os.Open(path)
	check(err)
	defer image.Close()
	_, err = io.Copy(part, image)
	check(err)
	check(form.Close())
	request, err := http.NewRequest("POST", url, &body)
	check(err)
	request.Header.Set("Content-Type", form.FormDataContentType())
	request.Header.Set("X-API-Key", key)
	return request
}

func reference(url, text string) *http.Request {
	request, err := http.NewRequest("POST", url, strings.NewReader(text))
	check(err)
	request.Header.Set("Content-Type", "application/json")
	return request
}

func main() {
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		words := strings.Split(lines.Text(), "\t")
		var request *http.Request
		if words[0] == "upload" {
			request = upload(words[1], words[2], words[3])
		} else {
			request = reference(words[1], words[2])
		}
		reply, err := http.DefaultClient.Do(request)
		check(err)
		var body any
		check(json.NewDecoder(reply.Body).Decode(&body))
		reply.Body.Close()
		text, err := json.Marshal(body)
		check(err)
		fmt.Printf("%d\t%s\n", reply.StatusCode, text)
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
