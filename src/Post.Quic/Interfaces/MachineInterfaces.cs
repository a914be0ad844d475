using System.Collections.Immutable;
using Post.Sockets.Transport;

namespace Post.Quic.Interfaces;

/// <summary>What all watchers share: the last snapshot, and who is told of the next.</summary>
internal abstract class MachineInterfaces : InterfaceWatcher, IDisposable
{
    private readonly Lock _gate = new();
    private ImmutableArray<Watcher> _watchers = [];
    private InterfaceSnapshot? _current;

    public override InterfaceSnapshot Current => Volatile.Read(ref _current) ?? Refresh();

    public override IDisposable Watch(Action changed)
    {
        ArgumentNullException.ThrowIfNull(changed);
        var watcher = new Watcher(this, changed);
        ImmutableInterlocked.Update(ref _watchers, static (all, one) => all.Add(one), watcher);
        return watcher;
    }

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Asks the machine what it has now.</summary>
    protected abstract InterfaceSnapshot Read();

    protected abstract void Dispose(bool disposing);

    /// <summary>Something may have changed: takes a new snapshot and tells who watches.</summary>
    protected void Report()
    {
        _ = Refresh();
        foreach (Watcher watcher in _watchers)
        {
            watcher.Changed();
        }
    }

    private InterfaceSnapshot Refresh()
    {
        lock (_gate)
        {
            InterfaceSnapshot read = Read();
            Volatile.Write(ref _current, read);
            return read;
        }
    }

    private sealed class Watcher(MachineInterfaces owner, Action changed) : IDisposable
    {
        public void Changed() => changed();

        public void Dispose() => ImmutableInterlocked.Update(ref owner._watchers, static (all, one) => all.Remove(one), this);
    }
}
