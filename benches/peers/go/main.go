// ocpp-go's own way from bytes to a validated request; `json` is encoding/json into any.
package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"time"

	"github.com/lorenzodonini/ocpp-go/ocpp"
	"github.com/lorenzodonini/ocpp-go/ocpp1.6/core"
	"github.com/lorenzodonini/ocpp-go/ocpp2.0.1/provisioning"
	"github.com/lorenzodonini/ocpp-go/ocpp2.0.1/transactions"
	"github.com/lorenzodonini/ocpp-go/ocppj"
)

type kind struct {
	Name, Subprotocol, Action string
	Frames                    []string
}

type fault struct{ Name, Subprotocol, Action, Frame string }

type reader func([]byte) error

func ocppGo(subprotocol string) reader {
	endpoint := &ocppj.Endpoint{}
	if subprotocol == "ocpp1.6" {
		endpoint.SetDialect(ocpp.V16)
		endpoint.AddProfile(core.Profile)
	} else {
		endpoint.SetDialect(ocpp.V2)
		endpoint.AddProfile(provisioning.Profile)
		endpoint.AddProfile(transactions.Profile)
	}
	state := ocppj.NewClientState()
	return func(frame []byte) error {
		parts, err := ocppj.ParseRawJsonMessage(frame)
		if err != nil {
			return err
		}
		_, err = endpoint.ParseMessage(parts, state)
		return err
	}
}

func plain(string) reader {
	return func(frame []byte) error {
		var value any
		return json.Unmarshal(frame, &value)
	}
}

func main() {
	text, err := os.ReadFile(os.Args[1])
	if err != nil {
		panic(err)
	}
	var given struct {
		Rounds int
		Kinds  []kind
		Faults []fault
	}
	if err := json.Unmarshal(text, &given); err != nil {
		panic(err)
	}
	create := map[string]func(string) reader{"ocpp-go": ocppGo, "json": plain}[os.Args[2]]
	takes, ns, refused := map[string]int{}, map[string]float64{}, []string{}
	for _, fault := range given.Faults {
		if create(fault.Subprotocol)([]byte(fault.Frame)) != nil {
			refused = append(refused, fault.Name)
		}
	}
	for _, kind := range given.Kinds {
		read, size := create(kind.Subprotocol), 0
		frames := make([][]byte, len(kind.Frames))
		for at, frame := range kind.Frames {
			frames[at] = []byte(frame)
			size += len(frame)
			if read(frames[at]) == nil {
				takes[kind.Name]++
			}
		}
		if takes[kind.Name] < len(frames) {
			continue
		}
		passes := max(1, 400_000/size)
		best := math.Inf(1)
		for range given.Rounds {
			start := time.Now()
			for range passes {
				for _, frame := range frames {
					_ = read(frame)
				}
			}
			best = min(best, float64(time.Since(start).Nanoseconds())/float64(passes*len(frames)))
		}
		ns[kind.Name] = best
	}
	out, _ := json.Marshal(map[string]any{"takes": takes, "refused": refused, "ns": ns})
	fmt.Println(string(out))
}
