package cloudapi

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wactor/wactor/provider"
)

func TestRenamedUsers(t *testing.T) {
	change := func(field, value string) string {
		return `{"object":"whatsapp_business_account","entry":[{"changes":[{"field":"` + field + `","value":{"metadata":{"phone_number_id":"1"},` + value + `}}]}]}`
	}
	system := func(from, object string) string {
		return change("messages", `"messages":[{`+from+`,"id":"wamid.1","timestamp":"1753851315","type":"system","system":{`+object+`}}]`)
	}
	for name, c := range map[string]struct{ body, want string }{
		"new number":               {system(`"from":"4915"`, `"type":"user_changed_number","wa_id":"4916"`), "4915: 4916, "},
		"new number, old form":     {system(`"from":"4915"`, `"type":"customer_changed_number","new_wa_id":"4916"`), "4915: 4916, "},
		"new number and BSUID":     {system(`"from":"4915","from_user_id":"US.a"`, `"wa_id":"4916","user_id":"US.b"`), "4915: 4916, US.b"},
		"new BSUID, no phone":      {system(`"from_user_id":"US.a"`, `"type":"user_changed_user_id","user_id":"US.b"`), "US.a: , US.b"},
		"new BSUID of a phone":     {system(`"from":"4915","from_user_id":"US.a"`, `"type":"user_changed_user_id","user_id":"US.b"`), "4915: , US.b"},
		"the same BSUID":           {system(`"from":"4915","from_user_id":"US.a"`, `"type":"customer_identity_changed","user_id":"US.a"`), "4915: 4915, US.a"},
		"nothing new":              {system(`"from":"4915"`, `"body":"hello"`), "4915: 4915, "},
		"a strange new number":     {system(`"from":"4915"`, `"wa_id":"`+strings.Repeat("9", provider.MaxUserID+1)+`"`), "4915: 4915, "},
		"a reserved number":        {system(`"from":"4915"`, `"wa_id":"?","user_id":"?"`), "4915: 4915, "},
		"update of the BSUID":      {change("user_id_update", `"user_id_update":[{"wa_id":"4916","user_id":{"previous":"US.a","current":"US.b"},"timestamp":1753851315}]`), "US.a: 4916, US.b"},
		"update without phone":     {change("user_id_update", `"user_id_update":[{"user_id":{"previous":"US.a","current":"US.b"}}]`), "US.a: , US.b"},
		"update without old id":    {change("user_id_update", `"user_id_update":[{"user_id":{"current":"US.b"}}]`), "unread"},
		"update with a strange id": {change("user_id_update", `"user_id_update":[{"user_id":{"previous":"US.a","current":"US.\u0000"}}]`), "unread"},
		"update that stands alone": {change("user_id_update", `"user_id_update":{"user_id":{"previous":"US.a","current":"US.b"}}`), "US.a: , US.b"},
		"update that is no value":  {strings.Replace(change("user_id_update", ""), `"value":{"metadata":{"phone_number_id":"1"},}`, `"value":1`, 1), "unread"},
		"update of no number":      {strings.Replace(change("user_id_update", `"user_id_update":[{"user_id":{"previous":"US.a","current":"US.b"}}]`), "phone_number_id", "x", 1), "unread"},
	} {
		t.Run(name, func(t *testing.T) {
			webhook, err := Decode([]byte(c.body))
			if err != nil {
				t.Fatal(err)
			}
			got := "dropped"
			switch {
			case len(webhook.Unread) == 1:
				got = "unread"
			case len(webhook.Identities) == 1:
				user := webhook.Identities[0].User
				got = user.Id + ": " + user.WaId + ", " + user.UserId
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
