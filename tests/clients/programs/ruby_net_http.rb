# Net::HTTP with set_form, on one connection for each call.
require "json"
require "net/http"

$stdin.each_line(chomp: true) do |line|
  kind, url, first, path = line.split("\t")
  uri = URI(url)
  request = Net::HTTP::Post.new(uri)
  if kind == "upload"
    request["X-API-Key"] = first
    request.set_form([["userLanguage", "en"], ["image", File.open(path, "rb")]], "multipart/form-data")
  else
    request["Content-Type"] = "application/json"
    request.body = JSON.generate(JSON.parse(first))
  end
  reply = Net::HTTP.start(uri.host, uri.port, use_ssl: uri.scheme == "https") { |http| http.request(request) }
  puts "#{reply.code}\t#{JSON.generate(JSON.parse(reply.body))}"
end
