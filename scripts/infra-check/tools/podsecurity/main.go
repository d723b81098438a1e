// podsecurity judges pod templates by a Pod Security Standard, with the evaluator that the API server itself runs.
//
// Usage: podsecurity [-level restricted] FILE...
package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
	sigsyaml "sigs.k8s.io/yaml"
)

func main() {
	level := flag.String("level", string(api.LevelRestricted), "privileged, baseline or restricted")
	flag.Parse()
	if err := run(api.Level(*level), flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "podsecurity:", err)
		os.Exit(1)
	}
}

func run(level api.Level, files []string) error {
	if !level.Valid() || len(files) == 0 {
		return errors.New("usage: podsecurity [-level restricted] FILE...")
	}
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		return err
	}
	at := api.LevelVersion{Level: level, Version: api.LatestVersion()}
	allowed, refused := 0, 0
	for _, file := range files {
		pods, err := read(file)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		for _, p := range pods {
			result := policy.AggregateCheckResults(evaluator.EvaluatePod(at, &p.template.ObjectMeta, &p.template.Spec))
			if result.Allowed {
				allowed++
				continue
			}
			refused++
			fmt.Printf("%s: %s: %s\n", file, p.name, result.ForbiddenDetail())
		}
	}
	fmt.Printf("%s: %d pod templates satisfy it, %d do not\n", level, allowed, refused)
	if refused > 0 {
		return errors.New("refused")
	}
	return nil
}

type pod struct {
	name     string
	template corev1.PodTemplateSpec
}

// read returns the pod templates among a file's YAML documents.
func read(file string) ([]pod, error) {
	opened, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer opened.Close()
	documents := yaml.NewYAMLReader(bufio.NewReader(opened))
	var pods []pod
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return pods, nil
		}
		if err != nil {
			return nil, err
		}
		var object metav1.PartialObjectMetadata
		if err := sigsyaml.Unmarshal(document, &object); err != nil {
			return nil, err
		}
		template, err := templateOf(object.Kind, document)
		if err != nil {
			return nil, fmt.Errorf("%s/%s: %w", object.Kind, object.Name, err)
		}
		if template != nil {
			pods = append(pods, pod{object.Kind + "/" + object.Name, *template})
		}
	}
}

// templateOf returns what the pods of an object are made from, or nil for a kind that makes none.
func templateOf(kind string, document []byte) (*corev1.PodTemplateSpec, error) {
	switch kind {
	case "Pod":
		var object corev1.Pod
		err := sigsyaml.Unmarshal(document, &object)
		return &corev1.PodTemplateSpec{ObjectMeta: object.ObjectMeta, Spec: object.Spec}, err
	case "CronJob":
		var object batchv1.CronJob
		err := sigsyaml.Unmarshal(document, &object)
		return &object.Spec.JobTemplate.Spec.Template, err
	case "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job":
		var object struct {
			Spec struct {
				Template corev1.PodTemplateSpec `json:"template"`
			} `json:"spec"`
		}
		err := sigsyaml.Unmarshal(document, &object)
		return &object.Spec.Template, err
	}
	return nil, nil
}
