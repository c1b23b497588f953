import { describe, expect, it } from 'vitest';
import { lastComplaint, obstacle } from './engine.ts';

describe('obstacle', () => {
  const able = { dockerHost: undefined, platform: 'linux', root: true, dockerd: '/usr/sbin/dockerd' } as const;

  it('when root has dockerd on Linux, there is none', () => {
    expect(obstacle(able)).toBeUndefined();
  });

  it('when DOCKER_HOST names an engine, no other is started in its place', () => {
    expect(obstacle({ ...able, dockerHost: 'tcp://127.0.0.1:1' })).toContain('tcp://127.0.0.1:1');
  });

  it('when dockerd is not installed, it says what installs it', () => {
    expect(obstacle({ ...able, dockerd: undefined })).toContain('setup.sh containers');
  });

  it('when it is not root, it says what an administrator has to do', () => {
    expect(obstacle({ ...able, root: false })).toContain('sudo systemctl start docker');
  });

  it('when the system is not Linux, Docker has to be started by hand', () => {
    expect(obstacle({ ...able, platform: 'darwin', dockerd: undefined })).toContain('start Docker');
  });

  it('says it in one line', () => {
    for (const other of [
      { dockerHost: 'x' },
      { platform: 'darwin' },
      { root: false },
      { dockerd: undefined },
    ] as const) {
      expect(obstacle({ ...able, ...other })).not.toContain('\n');
    }
  });
});

describe('lastComplaint', () => {
  it('when dockerd fails, it is the message of its failure', () => {
    const log = [
      'time="2026-01-01T00:00:00Z" level=info msg="Starting up"',
      'time="2026-01-01T00:00:01Z" level=error msg="no \\"overlay\\" here"',
      'time="2026-01-01T00:00:01Z" level=info msg="Daemon shutdown complete"',
    ].join('\n');
    expect(lastComplaint(log)).toBe('no "overlay" here');
  });

  it('when its last words are no log line, they are given as they are', () => {
    const log = 'level=warning msg="a"\nfailed to start daemon: iptables not found\n';
    expect(lastComplaint(log)).toBe('failed to start daemon: iptables not found');
  });

  it('when it said nothing, there is none', () => {
    expect(lastComplaint('\n')).toBeUndefined();
  });
});
