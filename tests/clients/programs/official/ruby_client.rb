# The requests of CarsXE's Ruby client: Net::HTTP, one connection for each call.
require "json"
require "net/http"

$stdin.each_line(chomp: true) do |line|
  url, key, image = line.split("\t")
  uri = URI("#{url}?key=#{key}&source=ruby")
  http = Net::HTTP.new(uri.host, uri.port)
  http.use_ssl = uri.scheme == "https"
  request = Net::HTTP::Post.new(uri)
  request["Content-Type"] = "application/json"
  request.body = {image: image}.to_json
  reply = http.request(request)
  puts "#{reply.code}\t#{JSON.generate(JSON.parse(reply.body))}"
end
