// Argo CD's own server for config management plugins, and a client that asks it as the repo server does.
//
//	argocd serve --config-dir-path FOLDER
//	argocd generate|match|parameters SOCKET REPOSITORY FOLDER [NAME=VALUE]...
//
// The client prints what it is told as JSON: the answer, or the error as Argo CD has it.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/argoproj/argo-cd/v3/cmd/argocd-cmp-server/commands"
	"github.com/argoproj/argo-cd/v3/cmpserver/apiclient"
	"github.com/argoproj/argo-cd/v3/util/cmp"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "serve" {
		command := commands.NewCommand()
		command.SetArgs(os.Args[2:])
		if err := command.Execute(); err != nil {
			os.Exit(1)
		}
		return
	}
	if len(os.Args) < 5 {
		fmt.Fprintln(os.Stderr, "serve, or generate|match|parameters SOCKET REPOSITORY FOLDER [NAME=VALUE]... is required")
		os.Exit(2)
	}
	answer, err := ask(os.Args[1], os.Args[2], os.Args[3], os.Args[4], os.Args[5:])
	said := map[string]any{"answer": answer}
	if err != nil {
		said = map[string]any{"error": err.Error()}
	}
	if err := json.NewEncoder(os.Stdout).Encode(said); err != nil {
		os.Exit(1)
	}
}

func ask(what, socket, repository, folder string, env []string) (any, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	closer, client, err := apiclient.NewConfigManagementPluginClientSet(socket).NewConfigManagementPluginClient()
	if err != nil {
		return nil, err
	}
	defer closer.Close()
	send := func(to cmp.StreamSender) error { return cmp.SendRepoStream(ctx, folder, repository, to, env, nil) }
	switch what {
	case "generate":
		to, err := client.GenerateManifest(ctx)
		if err != nil {
			return nil, err
		}
		if err := send(to); err != nil {
			return nil, err
		}
		return to.CloseAndRecv()
	case "match":
		to, err := client.MatchRepository(ctx)
		if err != nil {
			return nil, err
		}
		if err := send(to); err != nil {
			return nil, err
		}
		return to.CloseAndRecv()
	case "parameters":
		to, err := client.GetParametersAnnouncement(ctx)
		if err != nil {
			return nil, err
		}
		if err := send(to); err != nil {
			return nil, err
		}
		return to.CloseAndRecv()
	}
	return nil, fmt.Errorf("no such question: %s", what)
}
