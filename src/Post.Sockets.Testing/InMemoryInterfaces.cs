using System.Collections.Immutable;
using System.Net;
using Post.Sockets.Transport;

namespace Post.Sockets.Testing;

/// <summary>What associations hear of the interfaces of a host: each change, at the moment at which it is made.</summary>
internal sealed class InMemoryInterfaces(InMemoryTransport host) : InterfaceWatcher
{
    private ImmutableArray<Watcher> _watchers = [];

    public override InterfaceSnapshot Current
    {
        get
        {
            lock (host.Network.Gate)
            {
                var source = host.FindSource();
                return new InterfaceSnapshot(
                    [.. host.InterfaceList.Select(static one => new HostInterface
                    {
                        Name = one.Name,
                        IsUp = one.IsUp,
                        Addresses = [.. one.Addresses],
                        Routes = [new IPNetwork(IPAddress.Any, 0), new IPNetwork(IPAddress.IPv6Any, 0)],
                        IsMetered = one.IsMetered,
                    })],
                    _ => source);
            }
        }
    }

    public override IDisposable Watch(Action changed)
    {
        var watcher = new Watcher(this, changed);
        ImmutableInterlocked.Update(ref _watchers, static (all, one) => all.Add(one), watcher);
        return watcher;
    }

    public void Report()
    {
        foreach (Watcher watcher in _watchers)
        {
            watcher.Changed();
        }
    }

    private sealed class Watcher(InMemoryInterfaces owner, Action changed) : IDisposable
    {
        public void Changed() => changed();

        public void Dispose() => ImmutableInterlocked.Update(ref owner._watchers, static (all, one) => all.Remove(one), this);
    }
}
