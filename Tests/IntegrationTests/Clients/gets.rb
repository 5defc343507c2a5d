# Sends a line and reads its reply with gets.
require "json"
require "socket"

UNIXSocket.open(ARGV[0]) do |socket|
  socket.puts ARGV[1]
  puts JSON.generate(JSON.parse(socket.gets)["output"])
end
