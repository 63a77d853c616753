// Package peer is what both programs share.
package peer

import (
	"encoding/json"
	"errors"
	"os"

	"github.com/lorenzodonini/ocpp-go/ocpp"
	"github.com/lorenzodonini/ocpp-go/ocppj"
)

// Step prints a line of JSON.
func Step(name string, got any) {
	_ = json.NewEncoder(os.Stdout).Encode(map[string]any{"step": name, "got": got})
}

// Code is the code with which a call was refused.
func Code(err error) any {
	var refusal *ocpp.Error
	if errors.As(err, &refusal) {
		return string(refusal.Code)
	}
	if err != nil {
		return err.Error()
	}
	return "answered"
}

// Refuse is what a handler answers to what it does not want.
func Refuse() error {
	return ocpp.NewHandlerError(ocppj.SecurityError, "not for you")
}

// Check ends the program at an error that no step expects.
func Check(err error) {
	if err != nil {
		panic(err)
	}
}
