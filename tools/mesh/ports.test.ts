import { describe, expect, it } from 'vitest';
import { describeBusyPorts } from './ports.ts';

const holder = { pid: 123, command: 'node server.js', folder: '/home/me/other' };
const busy = { port: 8080, wantedBy: 'gateway-0 for the app', holder };

describe('describeBusyPorts', () => {
  it('when one port is taken, says who wanted it, who has it and what to do', () => {
    const line = describeBusyPorts([busy]);
    expect(line).toContain('port 8080, wanted by gateway-0 for the app, is held by pid 123: node server.js');
    expect(line).toContain('kill 123');
    expect(line.split('\n')).toHaveLength(1);
  });

  it('when its holder cannot be seen, says how to find it', () => {
    expect(describeBusyPorts([{ ...busy, holder: undefined }])).toContain("ss -ltnp 'sport = :8080'");
  });

  it('when another mesh has them all, says where in one line', () => {
    const ports = [8080, 8083, 8084, 8085].map((port) => ({ ...busy, port }));
    const sidecar = { ...busy, port: 3580, holder: { ...holder, command: '/x/daprd --app-id gateway' } };
    const line = describeBusyPorts([...ports, sidecar]);
    expect(line).toMatch(/^another mesh runs in \/home\/me\/other and has 5 ports/);
    expect(line.split('\n')).toHaveLength(1);
  });
});
