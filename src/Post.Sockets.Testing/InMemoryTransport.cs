using System.Net;
using Post.Sockets.Transport;

namespace Post.Sockets.Testing;

/// <summary>A transport on an <see cref="InMemoryNetwork"/>: what one host of that network has.</summary>
public sealed class InMemoryTransport : PostTransport
{
    private readonly InMemoryNetwork _network;
    private readonly List<InMemoryInterface> _interfaces = [];
    private readonly InMemoryInterfaces _watcher;
    private InMemoryInterface? _preferred;
    private bool _isDisposed;

    internal InMemoryTransport(InMemoryNetwork network, TransportCapabilities capabilities)
    {
        _network = network;
        Capabilities = capabilities;
        _watcher = new InMemoryInterfaces(this);
    }

    /// <inheritdoc/>
    public override string Name => "in-memory";

    /// <summary>What it was told to offer. A connection can do what the transports of both of its ends offer.</summary>
    public override TransportCapabilities Capabilities { get; }

    /// <summary>The network's clock.</summary>
    public override TimeProvider TimeProvider => _network.Clock;

    /// <summary>The clock's queue.</summary>
    public override TransportDispatcher Dispatcher => _network.Clock.Dispatcher;

    /// <summary>
    /// What was made with <see cref="AddInterface"/>, for associations to follow; null for a host without, whose clients get a fresh address each.
    /// </summary>
    public override InterfaceWatcher? Interfaces => InterfaceList.Count > 0 ? _watcher : null;

    /// <summary>
    /// The interface that the host sends by where nobody chose, as its default route says: the first that is up, until this is set. While the one that
    /// is set is down, the first that is up.
    /// </summary>
    public InMemoryInterface? PreferredInterface
    {
        get => _preferred;
        set
        {
            lock (_network.Gate)
            {
                _preferred = value;
            }

            ReportInterfaces();
        }
    }

    /// <summary>Gives the host one more interface, with an address and a link of its own. Paths of clients on this host go over it.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="address">Its first address.</param>
    /// <param name="outgoing">What happens to packets that leave by it; null: what the network does to packets to the server.</param>
    /// <param name="incoming">What happens to packets that come by it; null: the same as to those that leave.</param>
    /// <returns>The interface, to play with.</returns>
    public InMemoryInterface AddInterface(
        string name, IPAddress address, InMemoryLinkOptions? outgoing = null, InMemoryLinkOptions? incoming = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        ArgumentNullException.ThrowIfNull(address);
        InMemoryInterface added;
        lock (_network.Gate)
        {
            if (_interfaces.Exists(one => one.Name == name || one.Has(address)))
            {
                throw new ArgumentException($"The host has an interface '{name}', or one with the address {address}, already.", nameof(name));
            }

            added = new InMemoryInterface(this, name, address, outgoing ?? _network.ToServer, incoming ?? outgoing ?? _network.ToClient);
            _interfaces.Add(added);
        }

        ReportInterfaces();
        return added;
    }

    /// <summary>Takes an interface away, with all of its addresses.</summary>
    /// <param name="gone">The interface.</param>
    public void RemoveInterface(InMemoryInterface gone)
    {
        ArgumentNullException.ThrowIfNull(gone);
        gone.IsUp = false;
        lock (_network.Gate)
        {
            _interfaces.Remove(gone);
        }

        ReportInterfaces();
    }

    /// <summary>Repeats with the network's seed.</summary>
    /// <returns>A source of its own for each call.</returns>
    public override Random CreateRandom()
    {
        lock (_network.Gate)
        {
            return _network.NextPauseRandom();
        }
    }

    /// <inheritdoc/>
    public override ValueTask<TransportConnection> ConnectAsync(TransportConnectRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        return IsDisposed
            ? ValueTask.FromException<TransportConnection>(Disposed())
            : new InMemoryConnectAttempt(_network, this, request).Start(cancellationToken);
    }

    /// <inheritdoc/>
    public override ValueTask<TransportListener> ListenAsync(TransportListenRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        cancellationToken.ThrowIfCancellationRequested();
        lock (_network.Gate)
        {
            if (_isDisposed)
            {
                return ValueTask.FromException<TransportListener>(Disposed());
            }

            EndPoint[] endPoints = [.. request.Local.EndPoints.DefaultIfEmpty(new IPEndPoint(IPAddress.IPv6Any, 0)).Select(_network.Bind)];
            var listener = new InMemoryListener(_network, this, request, endPoints);
            _network.Add(listener);
            return ValueTask.FromResult<TransportListener>(listener);
        }
    }

    /// <summary>The host leaves the network: its listeners close, its connections are closed, and it can do nothing more.</summary>
    /// <returns>At once.</returns>
    public override ValueTask DisposeAsync()
    {
        lock (_network.Gate)
        {
            _isDisposed = true;
            _network.Leave(this);
        }

        return base.DisposeAsync();
    }

    internal InMemoryNetwork Network => _network;

    internal IReadOnlyList<InMemoryInterface> InterfaceList
    {
        get
        {
            lock (_network.Gate)
            {
                return [.. _interfaces];
            }
        }
    }

    internal void ReportInterfaces() => _watcher.Report();

    /// <summary>The interface that has an address; null for a host without interfaces. Under the network's lock.</summary>
    internal InMemoryInterface? FindInterface(IPAddress address) => _interfaces.Find(one => one.Has(address));

    /// <summary>The address that the host sends from where nobody chose. Under the network's lock.</summary>
    internal IPAddress? FindSource()
    {
        InMemoryInterface? chosen = _preferred is { IsUp: true, Addresses.Count: > 0 }
            ? _preferred
            : _interfaces.Find(static one => one is { IsUp: true, Addresses.Count: > 0 });
        return chosen?.Addresses[0];
    }

    /// <summary>Where a client on this host connects from, or moves to.</summary>
    /// <exception cref="TransportException">The address is none of the host's.</exception>
    internal IPEndPoint ClientEndPoint(Local? local, IPEndPoint? wished)
    {
        if (_interfaces.Count > 0)
        {
            bool isAny = wished is null || wished.Address.Equals(IPAddress.Any) || wished.Address.Equals(IPAddress.IPv6Any);
            InMemoryInterface? named = local?.Interfaces
                .Select(name => _interfaces.Find(one => one.Name == name && one is { IsUp: true, Addresses.Count: > 0 }))
                .FirstOrDefault(static one => one is not null);
            IPAddress? address = !isAny ? wished!.Address : named?.Addresses[0] ?? (local is { Interfaces.Count: > 0 } ? null : FindSource());
            if (address is null || FindInterface(address) is not { IsUp: true })
            {
                throw new TransportException(
                    TransportErrorReason.LocalAddressUnavailable,
                    isAny ? "No interface of the host is up." : $"No interface of the host that is up has the address {wished!.Address}.");
            }

            wished = new IPEndPoint(address, wished?.Port ?? 0);
        }

        return _network.ClientEndPoint(wished);
    }

    internal bool IsDisposed
    {
        get
        {
            lock (_network.Gate)
            {
                return _isDisposed;
            }
        }
    }

    internal static TransportException Disposed() => new(
        TransportErrorReason.ClosedLocally,
        "The in-memory transport was disposed: make another one, or dispose it after all that connects and listens with it.");
}
