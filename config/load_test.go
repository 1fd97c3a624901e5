package config

import (
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/wactor/wactor/conversation/policy"
	"github.com/wactor/wactor/flow/fit"
	"github.com/wactor/wactor/internal/problem"
	"github.com/wactor/wactor/internal/secret"
	"github.com/wactor/wactor/provider/cloudapi"
)

var update = flag.Bool("update", false, "rewrite the files in testdata")

// environment is what the tests' files refer to. The values that say SECRET may not be shown by
// anything.
func environment(name string) (string, bool) {
	value, ok := map[string]string{
		"PORT": "18080", "NODE": "1", "TYPING": "true", "PACE": "off", "ATTEMPTS": "7", "EMPTY": "",
		"ADMIN_TOKEN":  "SECRET-admin-${PORT}",
		"VERIFY_TOKEN": "SECRET-verify", "APP_SECRET": "SECRET-app", "BOT_SECRET": "SECRET-bot",
	}[name]
	return value, ok
}

func readTestFile(path string) ([]byte, error) {
	if filepath.Base(path) == "secret.txt" {
		return []byte("SECRET-cluster-0123\r\n"), nil
	}
	return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
}

func parseFile(t *testing.T, path string) (*Config, error) {
	t.Helper()
	src, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return Parse(path, src, environment, readTestFile, kinds)
}

// kinds are the providers of these tests.
var kinds = Kinds{{Name: cloudapi.Name, Settings: cloudapi.NewSettings}}

// cloud are the Cloud API's own settings of the first channel.
func cloud(c *Config) *cloudapi.Settings { return c.Channels[0].Settings.(*cloudapi.Settings) }

func TestParseFull(t *testing.T) {
	got, err := parseFile(t, "testdata/full.yaml")
	if err != nil {
		t.Fatal(err)
	}
	retry := policy.Retry{MaxAttempts: 7, Min: 2 * time.Second, Max: 5 * time.Minute, Unreachable: time.Minute}
	want := &Config{
		Node:   Node{Name: "node-1", Zone: "rack-1", DataDir: "data"},
		Listen: Listen{HTTP: "127.0.0.1:18080", Admin: "[::]:9091"},
		Admin: Admin{Token: secret.New("SECRET-admin-${PORT}"), Principals: map[string]Principal{
			"grafana": {Role: "viewer", Token: secret.New("SECRET-of-grafana")},
		}},
		Cluster: Cluster{
			Shards: 64, Gossip: ":8946", RPC: ":8947", Advertise: "10.0.0.1", Join: []string{"10.0.0.2",
				"b.internal:8946"}, Expect: 3, Replicas: 5,
			ReplaceAfter: time.Hour, Finalize: "manual", TLS: &ClusterTLS{
				Cert: filepath.FromSlash("testdata/node.pem"), Key: filepath.FromSlash("testdata/node.key"),
				CA: filepath.FromSlash("testdata/ca.pem"),
			},
			Secret: Secrets{secret.FromFile("SECRET-cluster-0123", "testdata/secret.txt")},
		},
		Channels: []Channel{
			{
				Name: "shop", Provider: cloudapi.Name, Bot: "orders",
				Settings: &cloudapi.Settings{
					PhoneNumberID: "123456789", IgnoreNumbers: []string{"555"},
					VerifyToken: secret.New("a-token\nin-two-lines\n"),
					AppSecret:   Secrets{secret.New("SECRET-app"), secret.New("old${secret}")},
					AccessToken: secret.New("SECRET-verify"), GraphURL: "http://127.0.0.1:9000/v26.0/",
				},
				InDoubt:  policy.InDoubt{Wait: 30 * time.Second, Max: time.Hour, Then: policy.Park},
				Pace:     Pace{MessagesPerSecond: 250, PairBurst: 30, PairEvery: 4 * time.Second},
				Await:    policy.AwaitDelivered,
				Window:   72 * time.Hour,
				MarkRead: true, Typing: true,
			},
			{
				Name: "help_2", Provider: cloudapi.Name, Bot: "agent",
				Settings: &cloudapi.Settings{
					PhoneNumberID: "987654321", VerifyToken: secret.New("SECRET-verify"),
					AppSecret: Secrets{secret.New("SECRET-app")}, AccessToken: secret.New("prefix-SECRET-app-suffix"),
					GraphURL: "https://graph.facebook.com/v26.0",
				},
				InDoubt: policy.InDoubt{Wait: 15 * time.Second, Max: 10 * time.Minute,
					Then: policy.Resend}, Pace: Pace{Off: true},
				Await: policy.AwaitNone,
			},
		},
		Bots: map[string]Bot{
			"orders": {
				Flow: filepath.FromSlash("testdata/flows/orders.yaml"), Budget: 250 * time.Millisecond, Retry: retry,
				OnFailure:    policy.OnFailure{Reply: "Sorry, please try again later."},
				Burst:        policy.Burst{Policy: policy.Reject, MaxMessages: 20, Notice: "One moment, please."},
				Order:        policy.Order{Hold: 500 * time.Millisecond, Late: policy.Drop},
				StaleButtons: policy.Answer,
				StaleReply:   "Those buttons are old; please use the newest ones.",
				Session:      policy.Session{Idle: 30 * time.Minute},
				LoopGuard:    policy.LoopGuard{Repeats: 5, Window: time.Hour, Exchanges: 9, Unasked: 7},
				Handoff:      policy.Handoff{Hold: 50, Held: policy.Run, For: 2 * time.Hour},
			},
			"agent": {
				HTTP: &HTTPBot{
					URL: "http://127.0.0.1:3000/turn", Timeout: 45 * time.Second, Secret: secret.New("SECRET-bot"),
					MaxConcurrent: 32, Fit: fit.ModeRefuse,
					Headers: map[string]Secret{"Authorization": secret.New("Bearer SECRET-bot")},
				},
				Retry: retry, Receives: []string{"text", "reaction", "unsupported_first"},
				Burst: policy.Burst{
					Policy: policy.Merge, Quiet: 1500 * time.Millisecond, MaxWait: 20 * time.Second, MaxMessages: 50,
					Flush: []string{"done",
						"that's it"},
				},
				Order: policy.Order{Late: policy.Process}, Budget: 100 * time.Millisecond, Debounce: 2 * time.Second,
				StaleButtons: policy.Ignore,
				Session:      policy.Session{Idle: 2 * time.Hour, Turn: true},
				LoopGuard:    policy.LoopGuard{Window: 5 * time.Minute, Exchanges: 50, Unasked: 100},
				Handoff:      policy.Handoff{Hold: 200, For: day, OnEcho: time.Hour},
			},
		},
		DedupWindow: 10*day + 12*time.Hour,
		StaleAfter:  72 * time.Hour,
		Media: Media{
			URL: "https://bots.example.com", URLLife: 2 * time.Hour, Dir: filepath.FromSlash("testdata/files"),
		},
		Limits: Limits{Inbox: 50, Journal: 100, ActiveConversations: 2000, InFlightWebhooks: 64, Body: 1 << 20,
			UnsignedBodies: 32 << 20},
		Backup: Backup{To: "file:///backups", Every: 6 * time.Hour, Keep: Keep{Last: 3, Daily: 5, Weekly: 7},
			Verify: "off", Rate: 5 << 20, Encrypt: Encrypt{
				Recipients: []string{"age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"}}},
		Log: Log{Level: "debug", Format: "json", Sensitive: true},
	}
	got.Warnings = nil // TestWhatIsLikelyAMistakeIsWarnedOf
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(Secret{})); diff != "" {
		t.Errorf("configuration (-want +got):\n%s", diff)
	}
	if err := got.Validate(); err != nil {
		t.Errorf("a parsed configuration is not valid: %v", err)
	}
}

// TestProblems compares the problems of each file with the list beside it: what a user reads who
// made these mistakes.
func TestProblems(t *testing.T) {
	files, err := filepath.Glob("testdata/problems/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no files", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			_, err := parseFile(t, file)
			var problems problem.List
			if !errors.As(err, &problems) {
				t.Fatalf("error %v, want a problem.List", err)
			}
			for _, problem := range problems {
				if problem.File != file || problem.Line < 1 || problem.Column < 1 {
					t.Errorf("no place: %+v", problem)
				}
			}
			got := strings.ReplaceAll(err.Error(), filepath.Dir(file)+string(filepath.Separator), "") + "\n"
			if strings.Contains(got, "SECRET-") || strings.Contains(got, "hunter2") {
				t.Error("a problem shows a secret")
			}
			golden := strings.TrimSuffix(file, ".yaml") + ".txt"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("problems (-want +got); run with -update if that is wanted:\n%s", diff)
			}
		})
	}
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("token", "SECRET-access\n")
	write("wactor.yaml", `
channels:
  - { name: shop, provider: whatsapp_cloud, phone_number_id: "1", verify_token: a, app_secret: b, access_token: "${file:token}", bot: echo }
bots: { echo: { flow: flows/echo.yaml } }
`)
	c, err := Load(filepath.Join(dir, "wactor.yaml"), environment, kinds)
	if err != nil {
		t.Fatal(err)
	}
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	if c.Node.Name != host || c.Node.DataDir != filepath.Join(dir, "data") {
		t.Errorf("node %+v", c.Node)
	}
	if cloud(c).AccessToken.Reveal() != "SECRET-access" || c.Bots["echo"].Flow != filepath.Join(dir, "flows",
		"echo.yaml") {
		t.Errorf("channel and bot: %+v %+v", c.Channels[0], c.Bots["echo"])
	}
}

func TestLoadOfNoFile(t *testing.T) {
	dir := t.TempDir()
	if _, err := Load(filepath.Join(dir, "none.yaml"), environment, kinds); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v", err)
	}
	large := filepath.Join(dir, "large.yaml")
	if err := os.WriteFile(large, make([]byte, maxFileBytes+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(large, environment, kinds); !errors.Is(err, errTooLarge) {
		t.Errorf("error %v", err)
	}
}

// TestValidateBuilt checks a configuration that comes from no file, as a program builds it.
func TestValidateBuilt(t *testing.T) {
	c := Default()
	channel := DefaultChannel()
	channel.Name, channel.Provider, channel.Bot = "dev", cloudapi.Name, "echo"
	channel.Settings = &cloudapi.Settings{PhoneNumberID: "1", VerifyToken: secret.New("a"),
		AppSecret: Secrets{secret.New("b")}, AccessToken: secret.New("c"), GraphURL: cloudapi.DefaultGraphURL}
	echo := DefaultBot()
	echo.Flow = "echo.yaml"
	c.Channels, c.Bots = []Channel{channel}, map[string]Bot{"echo": echo}
	if err := c.Validate(); err != nil {
		t.Errorf("a valid configuration: %v", err)
	}
	c.Channels[0].Bot, c.Log.Level = "", "loud"
	err := c.Validate()
	want := "channels[0].bot: is required (name one of bots)\nlog.level: must be debug, info, warn or error, not " +
		"\"loud\""
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}
