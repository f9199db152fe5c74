//go:build unix

package main

import (
	"os/exec"
	"syscall"
)

// killGroup makes the end of a command's context kill it and all that it started, with SIGKILL.
func killGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
