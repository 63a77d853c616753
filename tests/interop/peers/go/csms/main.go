// A CSMS on ocpp-go. It listens on every interface: give it a network of its own.
package main

import (
	"os"
	"strconv"
	"time"

	ocpp16 "github.com/lorenzodonini/ocpp-go/ocpp1.6"
	"github.com/lorenzodonini/ocpp-go/ocpp1.6/core"
	types16 "github.com/lorenzodonini/ocpp-go/ocpp1.6/types"
	ocpp2 "github.com/lorenzodonini/ocpp-go/ocpp2.0.1"
	"github.com/lorenzodonini/ocpp-go/ocpp2.0.1/availability"
	"github.com/lorenzodonini/ocpp-go/ocpp2.0.1/data"
	"github.com/lorenzodonini/ocpp-go/ocpp2.0.1/provisioning"
	"github.com/lorenzodonini/ocpp-go/ocpp2.0.1/remotecontrol"
	"github.com/lorenzodonini/ocpp-go/ocpp2.0.1/transactions"
	types2 "github.com/lorenzodonini/ocpp-go/ocpp2.0.1/types"
	"github.com/lorenzodonini/ocpp-go/ocppj"

	"interop/peer"
)

// How long the answer of a handler takes to go out before what follows from it.
const settle = 50 * time.Millisecond

// waited turns a callback into something to wait for.
func waited[T any](send func(func(T, error)) error) (T, error) {
	type end struct {
		answer T
		err    error
	}
	ended := make(chan end, 1)
	peer.Check(send(func(answer T, err error) { ended <- end{answer, err} }))
	last := <-ended
	return last.answer, last.err
}

type csms16 struct {
	core.CentralSystemHandler
	available chan bool
	metered   chan int
	stopped   chan bool
}

func (c *csms16) OnBootNotification(_ string, request *core.BootNotificationRequest) (*core.BootNotificationConfirmation, error) {
	peer.Step("boot", request.ChargePointModel)
	return core.NewBootNotificationConfirmation(types16.NewDateTime(time.Now()), 300, core.RegistrationStatusAccepted), nil
}

func (c *csms16) OnHeartbeat(string, *core.HeartbeatRequest) (*core.HeartbeatConfirmation, error) {
	return core.NewHeartbeatConfirmation(types16.NewDateTime(time.Now())), nil
}

func (c *csms16) OnDataTransfer(_ string, request *core.DataTransferRequest) (*core.DataTransferConfirmation, error) {
	if request.VendorId == "refuse" {
		return nil, peer.Refuse()
	}
	return core.NewDataTransferConfirmation(core.DataTransferStatusAccepted), nil
}

func (c *csms16) OnStatusNotification(_ string, request *core.StatusNotificationRequest) (*core.StatusNotificationConfirmation, error) {
	peer.Step("status", request.Status)
	c.available <- true
	return core.NewStatusNotificationConfirmation(), nil
}

func (c *csms16) OnStartTransaction(_ string, request *core.StartTransactionRequest) (*core.StartTransactionConfirmation, error) {
	peer.Step("start", request.IdTag)
	return core.NewStartTransactionConfirmation(types16.NewIdTagInfo(types16.AuthorizationStatusAccepted), 42), nil
}

func (c *csms16) OnMeterValues(_ string, request *core.MeterValuesRequest) (*core.MeterValuesConfirmation, error) {
	value, err := strconv.ParseFloat(request.MeterValue[0].SampledValue[0].Value, 64)
	peer.Check(err)
	peer.Step("meter", value)
	c.metered <- *request.TransactionId
	return core.NewMeterValuesConfirmation(), nil
}

func (c *csms16) OnStopTransaction(_ string, request *core.StopTransactionRequest) (*core.StopTransactionConfirmation, error) {
	peer.Step("stop", request.TransactionId)
	c.stopped <- true
	return core.NewStopTransactionConfirmation(), nil
}

func play16(port int) {
	handler := &csms16{available: make(chan bool, 1), metered: make(chan int, 1), stopped: make(chan bool, 1)}
	server := ocpp16.NewCentralSystem(nil, nil)
	server.SetCoreHandler(handler)
	server.SetNewChargePointHandler(func(station ocpp16.ChargePointConnection) {
		go func() {
			id := station.ID()
			<-handler.available
			time.Sleep(settle)
			start, err := waited(func(done func(*core.RemoteStartTransactionConfirmation, error)) error {
				return server.RemoteStartTransaction(id, done, "TOKEN")
			})
			peer.Check(err)
			peer.Step("remote_start", start.Status)
			transaction := <-handler.metered
			time.Sleep(settle)
			stop, err := waited(func(done func(*core.RemoteStopTransactionConfirmation, error)) error {
				return server.RemoteStopTransaction(id, done, transaction)
			})
			peer.Check(err)
			peer.Step("remote_stop", stop.Status)
			<-handler.stopped
			_, err = waited(func(done func(*core.UnlockConnectorConfirmation, error)) error {
				return server.UnlockConnector(id, done, 1)
			})
			peer.Step("refused", peer.Code(err))
			peer.Step("unknown_action", nil) // it sends no action that none of its profiles has
			ocppj.SetMessageValidation(false)
			_, err = waited(func(done func(*core.ResetConfirmation, error)) error {
				return server.Reset(id, done, "Sideways")
			})
			peer.Step("invalid_payload", peer.Code(err))
			peer.Step("done", "ok")
		}()
	})
	server.SetChargePointDisconnectedHandler(func(ocpp16.ChargePointConnection) { os.Exit(0) })
	server.Start(port, "/{ws}")
}

type csms2 struct {
	availability.CSMSHandler
	available chan bool
	metered   chan string
	stopped   chan bool
}

func (c *csms2) OnHeartbeat(string, *availability.HeartbeatRequest) (*availability.HeartbeatResponse, error) {
	return availability.NewHeartbeatResponse(*types2.NewDateTime(time.Now())), nil
}

func (c *csms2) OnStatusNotification(_ string, request *availability.StatusNotificationRequest) (*availability.StatusNotificationResponse, error) {
	peer.Step("status", request.ConnectorStatus)
	c.available <- true
	return availability.NewStatusNotificationResponse(), nil
}

type provision2 struct{ provisioning.CSMSHandler }

func (provision2) OnBootNotification(_ string, request *provisioning.BootNotificationRequest) (*provisioning.BootNotificationResponse, error) {
	peer.Step("boot", request.ChargingStation.Model)
	return provisioning.NewBootNotificationResponse(types2.NewDateTime(time.Now()), 300, provisioning.RegistrationStatusAccepted), nil
}

type data2 struct{ data.CSMSHandler }

func (data2) OnDataTransfer(_ string, request *data.DataTransferRequest) (*data.DataTransferResponse, error) {
	if request.VendorID == "refuse" {
		return nil, peer.Refuse()
	}
	return data.NewDataTransferResponse(data.DataTransferStatusAccepted), nil
}

type transactions2 struct{ *csms2 }

func (c transactions2) OnTransactionEvent(_ string, request *transactions.TransactionEventRequest) (*transactions.TransactionEventResponse, error) {
	id := request.TransactionInfo.TransactionID
	switch request.EventType {
	case transactions.TransactionEventStarted:
		peer.Step("start", request.IDToken.IdToken)
	case transactions.TransactionEventUpdated:
		peer.Step("meter", request.MeterValue[0].SampledValue[0].Value)
		c.metered <- id
	default:
		peer.Step("stop", id)
		c.stopped <- true
	}
	return transactions.NewTransactionEventResponse(), nil
}

func play2(port int) {
	handler := &csms2{available: make(chan bool, 1), metered: make(chan string, 1), stopped: make(chan bool, 1)}
	server := ocpp2.NewCSMS(nil, nil)
	server.SetAvailabilityHandler(handler)
	server.SetProvisioningHandler(provision2{})
	server.SetDataHandler(data2{})
	server.SetTransactionsHandler(transactions2{handler})
	server.SetNewChargingStationHandler(func(station ocpp2.ChargingStationConnection) {
		go func() {
			id := station.ID()
			<-handler.available
			time.Sleep(settle)
			start, err := waited(func(done func(*remotecontrol.RequestStartTransactionResponse, error)) error {
				return server.RequestStartTransaction(id, done, 1, types2.IdToken{IdToken: "TOKEN", Type: types2.IdTokenTypeCentral})
			})
			peer.Check(err)
			peer.Step("remote_start", start.Status)
			transaction := <-handler.metered
			time.Sleep(settle)
			stop, err := waited(func(done func(*remotecontrol.RequestStopTransactionResponse, error)) error {
				return server.RequestStopTransaction(id, done, transaction)
			})
			peer.Check(err)
			peer.Step("remote_stop", stop.Status)
			<-handler.stopped
			_, err = waited(func(done func(*remotecontrol.UnlockConnectorResponse, error)) error {
				return server.UnlockConnector(id, done, 1, 1)
			})
			peer.Step("refused", peer.Code(err))
			peer.Step("unknown_action", nil) // it sends no action that none of its profiles has
			ocppj.SetMessageValidation(false)
			_, err = waited(func(done func(*provisioning.ResetResponse, error)) error {
				return server.Reset(id, done, "Sideways")
			})
			peer.Step("invalid_payload", peer.Code(err))
			peer.Step("done", "ok")
		}()
	})
	server.SetChargingStationDisconnectedHandler(func(ocpp2.ChargingStationConnection) { os.Exit(0) })
	server.Start(port, "/{ws}")
}

func main() {
	port, err := strconv.Atoi(os.Args[1])
	peer.Check(err)
	peer.Step("listening", port)
	if os.Args[2] == "1.6" {
		play16(port)
	} else {
		play2(port)
	}
}
