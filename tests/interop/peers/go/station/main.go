// A station on ocpp-go.
package main

import (
	"os"
	"time"

	ocpp16 "github.com/lorenzodonini/ocpp-go/ocpp1.6"
	"github.com/lorenzodonini/ocpp-go/ocpp1.6/core"
	types16 "github.com/lorenzodonini/ocpp-go/ocpp1.6/types"
	ocpp2 "github.com/lorenzodonini/ocpp-go/ocpp2.0.1"
	"github.com/lorenzodonini/ocpp-go/ocpp2.0.1/availability"
	"github.com/lorenzodonini/ocpp-go/ocpp2.0.1/provisioning"
	"github.com/lorenzodonini/ocpp-go/ocpp2.0.1/remotecontrol"
	"github.com/lorenzodonini/ocpp-go/ocpp2.0.1/transactions"
	types2 "github.com/lorenzodonini/ocpp-go/ocpp2.0.1/types"
	"github.com/lorenzodonini/ocpp-go/ocppj"

	"interop/peer"
)

// Handlers that the scenario does not call stay nil.
type station16 struct {
	core.ChargePointHandler
	started chan string
	stopped chan int
}

func (s *station16) OnRemoteStartTransaction(request *core.RemoteStartTransactionRequest) (*core.RemoteStartTransactionConfirmation, error) {
	peer.Step("remote_start", request.IdTag)
	s.started <- request.IdTag
	return core.NewRemoteStartTransactionConfirmation(types16.RemoteStartStopStatusAccepted), nil
}

func (s *station16) OnRemoteStopTransaction(request *core.RemoteStopTransactionRequest) (*core.RemoteStopTransactionConfirmation, error) {
	peer.Step("remote_stop", request.TransactionId)
	s.stopped <- request.TransactionId
	return core.NewRemoteStopTransactionConfirmation(types16.RemoteStartStopStatusAccepted), nil
}

func (s *station16) OnUnlockConnector(*core.UnlockConnectorRequest) (*core.UnlockConnectorConfirmation, error) {
	return nil, peer.Refuse()
}

func play16(url, identity string) {
	now := func() *types16.DateTime { return types16.NewDateTime(time.Now()) }
	station := &station16{started: make(chan string, 1), stopped: make(chan int, 1)}
	client := ocpp16.NewChargePoint(identity, nil, nil)
	client.SetCoreHandler(station)
	peer.Check(client.Start(url))
	boot, err := client.BootNotification("M", "V")
	peer.Check(err)
	peer.Step("boot", boot.Status)
	_, err = client.StatusNotification(1, core.NoError, core.ChargePointStatusAvailable)
	peer.Check(err)
	peer.Step("status", "ok")
	started, err := client.StartTransaction(1, <-station.started, 0, now())
	peer.Check(err)
	peer.Step("start", started.TransactionId)
	sample := types16.SampledValue{Value: "21.5", Measurand: types16.MeasurandCurrentImport, Unit: types16.UnitOfMeasureA}
	_, err = client.MeterValues(1, []types16.MeterValue{{Timestamp: now(), SampledValue: []types16.SampledValue{sample}}},
		func(request *core.MeterValuesRequest) { request.TransactionId = &started.TransactionId })
	peer.Check(err)
	peer.Step("meter", "ok")
	_, err = client.StopTransaction(10, now(), <-station.stopped)
	peer.Check(err)
	peer.Step("stop", "ok")
	_, err = client.DataTransfer("refuse")
	peer.Step("refused", peer.Code(err))
	peer.Step("unknown_action", nil) // it sends no action that none of its profiles has
	ocppj.SetMessageValidation(false)
	_, err = client.StatusNotification(1, core.NoError, "Sleeping")
	peer.Step("invalid_payload", peer.Code(err))
}

type station2 struct {
	remotecontrol.ChargingStationHandler
	started chan types2.IdToken
	stopped chan string
}

func (s *station2) OnRequestStartTransaction(request *remotecontrol.RequestStartTransactionRequest) (*remotecontrol.RequestStartTransactionResponse, error) {
	peer.Step("remote_start", request.IDToken.IdToken)
	s.started <- request.IDToken
	return remotecontrol.NewRequestStartTransactionResponse(remotecontrol.RequestStartStopStatusAccepted), nil
}

func (s *station2) OnRequestStopTransaction(request *remotecontrol.RequestStopTransactionRequest) (*remotecontrol.RequestStopTransactionResponse, error) {
	peer.Step("remote_stop", request.TransactionID)
	s.stopped <- request.TransactionID
	return remotecontrol.NewRequestStopTransactionResponse(remotecontrol.RequestStartStopStatusAccepted), nil
}

func (s *station2) OnUnlockConnector(*remotecontrol.UnlockConnectorRequest) (*remotecontrol.UnlockConnectorResponse, error) {
	return nil, peer.Refuse()
}

func play2(url, identity string) {
	now := func() *types2.DateTime { return types2.NewDateTime(time.Now()) }
	station := &station2{started: make(chan types2.IdToken, 1), stopped: make(chan string, 1)}
	client := ocpp2.NewChargingStation(identity, nil, nil)
	client.SetRemoteControlHandler(station)
	peer.Check(client.Start(url))
	boot, err := client.BootNotification(provisioning.BootReasonPowerUp, "M", "V")
	peer.Check(err)
	peer.Step("boot", boot.Status)
	_, err = client.StatusNotification(now(), availability.ConnectorStatusAvailable, 1, 1)
	peer.Check(err)
	peer.Step("status", "ok")
	token := <-station.started
	event := func(kind transactions.TransactionEvent, number int, more func(*transactions.TransactionEventRequest)) {
		_, err := client.TransactionEvent(kind, now(), transactions.TriggerReasonRemoteStart, number, transactions.Transaction{TransactionID: "T1"}, more)
		peer.Check(err)
	}
	event(transactions.TransactionEventStarted, 0, func(request *transactions.TransactionEventRequest) { request.IDToken = &token })
	peer.Step("start", "T1")
	sample := types2.SampledValue{Value: 21.5, Measurand: types2.MeasurandCurrentImport}
	event(transactions.TransactionEventUpdated, 1, func(request *transactions.TransactionEventRequest) {
		request.MeterValue = []types2.MeterValue{{Timestamp: *now(), SampledValue: []types2.SampledValue{sample}}}
	})
	peer.Step("meter", "ok")
	<-station.stopped
	event(transactions.TransactionEventEnded, 2, func(*transactions.TransactionEventRequest) {})
	peer.Step("stop", "ok")
	_, err = client.DataTransfer("refuse")
	peer.Step("refused", peer.Code(err))
	peer.Step("unknown_action", nil) // it sends no action that none of its profiles has
	ocppj.SetMessageValidation(false)
	_, err = client.StatusNotification(now(), "Sleeping", 1, 1)
	peer.Step("invalid_payload", peer.Code(err))
}

func main() {
	url, identity, version := os.Args[1], os.Args[2], os.Args[3]
	if version == "1.6" {
		play16(url, identity)
	} else {
		play2(url, identity)
	}
	peer.Step("done", "ok")
	select {} // it would connect again when the other side closes: the test ends it
}
