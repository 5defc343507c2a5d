// Follows the Go of "Writing a client" in docs/protocol.md, which the test puts below these lines. The arguments are the
// socket and a line to send. It prints the length of the reply.
package main

import (
	"bufio"
	"fmt"
	"net"
	"os"
)

func main() {
	connection, err := net.Dial("unix", os.Args[1])
	if err != nil {
		panic(err)
	}
	fmt.Fprintln(connection, os.Args[2])
	scanner := lines(connection)
	if !scanner.Scan() {
		panic(scanner.Err())
	}
	fmt.Println(len(scanner.Bytes()))
}
