//go:build wasip1

package main

import (
	"bytes"
	"unsafe"
)

//go:wasmimport wapc __guest_request
func guestRequest(operation, payload unsafe.Pointer)

//go:wasmimport wapc __guest_response
func guestResponse(response unsafe.Pointer, length uint32)

// guestCall is how a waPC host calls a module: so every limit of crates/host holds for this one too.
//
//go:wasmexport __guest_call
func guestCall(operationLength, payloadLength uint32) uint32 {
	// One byte more, so that there is a first one to point to.
	operation, payload := make([]byte, operationLength+1), make([]byte, payloadLength+1)
	guestRequest(unsafe.Pointer(&operation[0]), unsafe.Pointer(&payload[0]))
	var response bytes.Buffer
	switch string(operation[:operationLength]) {
	case "prepare":
		prepare()
		response.WriteString("{}")
	case "settle":
		settle()
		response.WriteString("{}")
	default:
		serve(bytes.NewReader(payload[:payloadLength]), &response)
	}
	if text := response.Bytes(); len(text) > 0 {
		guestResponse(unsafe.Pointer(&text[0]), uint32(len(text)))
	}
	return 1
}
