// Package emulator plays WhatsApp: it builds the webhooks that a business number receives, signed
// as Meta signs them, and answers what a bot sends to the Graph API, with the faults that the real
// one has. Load tests and the simulated phone use it.
//
// What it promises: a webhook decodes as one of Meta's (field "messages" of object
// "whatsapp_business_account"); a request that the Graph takes is within the limits that WhatsApp
// documents, and one that it refuses gets Meta's error object with its code.
//
//	number := emulator.Number{PhoneNumberID: "100", AppSecret: "secret"}
//	body := number.Messages(emulator.Message{ID: "wamid.1", User: "4915100000001", SentMs: now, Text: "hi"})
//	request.Header.Set(cloudapi.SignatureHeader, number.Sign(body))
//
//	graph := emulator.NewGraph(token, emulator.Faults{}, func(m emulator.Taken) {
//		statuses := number.Statuses(m.Status("sent", m.At), m.Status("delivered", m.At)) // another webhook
//	})
//
// Start reading at webhook.go for the way to the bot, at graph.go for the way back.
package emulator
