using System.Net;
using Post.Sockets.Transport;

namespace Post.Sockets.Testing;

/// <summary>What lies between the two ends of one connection, for tests to play the network: paths, moves, cuts.</summary>
public sealed class InMemoryWire
{
    private readonly List<InMemoryPath> _paths = [];
    private readonly EndPoint _serverEndPoint;
    private long _nextPathId;

    internal InMemoryWire(
        InMemoryNetwork network,
        TransportCapabilities capabilities,
        in InMemoryConnection.EndSettings client,
        in InMemoryConnection.EndSettings server,
        (InMemoryTransport Client, InMemoryTransport Server) hosts,
        IPEndPoint clientEndPoint,
        EndPoint serverEndPoint)
    {
        Network = network;
        _serverEndPoint = serverEndPoint;
        ClientEnd = new InMemoryConnection(this, isClient: true, capabilities, client);
        ServerEnd = new InMemoryConnection(this, isClient: false, capabilities, server);
        ClientEnd.Host = hosts.Client;
        ServerEnd.Host = hosts.Server;
        MakePath(clientEndPoint, network.ToServer, network.ToClient, PostPathState.Active);
    }

    /// <summary>The client's end.</summary>
    public TransportConnection Client => ClientEnd;

    /// <summary>The server's end.</summary>
    public TransportConnection Server => ServerEnd;

    /// <summary>False once both ends know that the connection is over.</summary>
    public bool IsOpen => ClientEnd.Failure is null || ServerEnd.Failure is null;

    /// <summary>The paths there are.</summary>
    public IReadOnlyList<InMemoryPath> Paths
    {
        get
        {
            lock (Network.Gate)
            {
                return [.. _paths];
            }
        }
    }

    internal InMemoryNetwork Network { get; }

    internal InMemoryConnection ClientEnd { get; }

    internal InMemoryConnection ServerEnd { get; }

    /// <summary>
    /// Gives the connection one more path. After a round trip it stands by, or carries data beside the others where the
    /// connection has <see cref="TransportCapabilities.Multipath"/>.
    /// </summary>
    /// <param name="clientEndPoint">The client's address on it; null: a fresh one.</param>
    /// <param name="toServer">What it does to packets to the server; null: what the network does to new connections.</param>
    /// <param name="toClient">What it does to packets to the client; null: likewise.</param>
    public InMemoryPath AddPath(
        IPEndPoint? clientEndPoint = null,
        InMemoryLinkOptions? toServer = null,
        InMemoryLinkOptions? toClient = null)
    {
        lock (Network.Gate)
        {
            InMemoryPath path = MakePath(
                clientEndPoint, toServer ?? Network.ToServer, toClient ?? Network.ToClient, PostPathState.Validating);
            new InMemoryPathValidation(path).Schedule();
            return path;
        }
    }

    /// <summary>Takes a path away, and tells both ends so. The last one stays.</summary>
    /// <param name="path">The path.</param>
    public void RemovePath(InMemoryPath path)
    {
        ArgumentNullException.ThrowIfNull(path);
        lock (Network.Gate)
        {
            if (_paths.Count < 2)
            {
                throw new InvalidOperationException("A connection has at least one path; set IsUp to false to cut it.");
            }

            DropPath(path);
        }
    }

    /// <summary>Changes the client's address on the path in use without the client's knowledge, as a NAT does.</summary>
    /// <param name="clientEndPoint">The address from which the server sees the client's packets come from now on.</param>
    public void RebindClient(IPEndPoint clientEndPoint)
    {
        ArgumentNullException.ThrowIfNull(clientEndPoint);
        lock (Network.Gate)
        {
            ClientEnd.MainPath.Path.ClientEndPoint = clientEndPoint;
        }
    }

    /// <summary>Ends the connection at once, without a word of either side to the other. An association goes on over another one.</summary>
    /// <param name="reason">
    /// What both ends are told by their transport: <see cref="TransportErrorReason.TimedOut"/> as after an outage that was too long,
    /// <see cref="TransportErrorReason.ConnectionReset"/> as where a middlebox or an end forgot the connection.
    /// </param>
    public void Break(TransportErrorReason reason = TransportErrorReason.ConnectionReset)
    {
        lock (Network.Gate)
        {
            var failure = new TransportException(reason, "The in-memory network was told to break this connection.");
            ClientEnd.End(failure);
            ServerEnd.End(failure.Again());
        }
    }

    /// <summary>Ends the connection for the client alone. The server hears nothing more, and notices by the silence.</summary>
    /// <param name="reason">What the client is told.</param>
    public void BreakClient(TransportErrorReason reason = TransportErrorReason.TimedOut) => BreakEnd(ClientEnd, reason);

    /// <summary>Ends the connection for the server alone. The client hears nothing more, and notices by the silence.</summary>
    /// <param name="reason">What the server is told.</param>
    public void BreakServer(TransportErrorReason reason = TransportErrorReason.TimedOut) => BreakEnd(ServerEnd, reason);

    /// <summary>Makes a path, over the link of the client's interface where there is one.</summary>
    internal InMemoryPath MakePath(
        IPEndPoint? client, InMemoryLinkOptions? toServer, InMemoryLinkOptions? toClient, PostPathState state, EndPoint? server = null)
    {
        client = ClientEnd.Host?.ClientEndPoint(null, client) ?? Network.ClientEndPoint(client);
        InMemoryInterface? over = ClientEnd.Host?.FindInterface(client.Address);
        var path = new InMemoryPath(
            this,
            _nextPathId++,
            client,
            server ?? _serverEndPoint,
            over?.Outgoing ?? toServer ?? Network.ToServer,
            over?.Incoming ?? toClient ?? Network.ToClient);
        _paths.Add(path);
        path.ApplyUp();
        foreach (PathEnd end in (ReadOnlySpan<PathEnd>)[path.AtClient, path.AtServer])
        {
            end.State = state;
            end.Owner.AddPath(end);
            if (state == PostPathState.Validating)
            {
                end.Owner.ReportPath(end, PostPathChange.Added);
            }
        }

        return path;
    }

    /// <summary>The server's address that a further path goes to.</summary>
    /// <exception cref="TransportException">The server's host does not listen there.</exception>
    internal EndPoint FindServer(IPEndPoint? wished) =>
        wished is null ? _serverEndPoint
        : wished.Equals(_serverEndPoint) || Network.Listens(ServerEnd.Host!, wished) ? wished
        : throw new TransportException(TransportErrorReason.Unreachable, $"The server is not at {wished}.");

    internal void DropPath(InMemoryPath path)
    {
        // The last one stays, whatever became of it: a connection without any has no place to wait.
        if (_paths.Count < 2 || !_paths.Remove(path))
        {
            return;
        }

        foreach (PathEnd end in (ReadOnlySpan<PathEnd>)[path.AtClient, path.AtServer])
        {
            InMemoryConnection owner = end.Owner;
            end.State = PostPathState.Removed;
            owner.RemovePath(end);
            foreach (LinkMessage held in end.Out.TakeHeld())
            {
                owner.Repeat(end, held);
            }

            if (ReferenceEquals(owner.MainPath, end))
            {
                owner.UsePath(owner.FindOther(end) ?? (owner.IsClient ? _paths[0].AtClient : _paths[0].AtServer));
                owner.ReportPath(owner.MainPath, PostPathChange.StateChanged);
            }

            owner.ReportPath(end, PostPathChange.Removed);
        }
    }

    private void BreakEnd(InMemoryConnection end, TransportErrorReason reason)
    {
        lock (Network.Gate)
        {
            end.End(new TransportException(reason, "The in-memory network was told to break this end of the connection."));
        }
    }

    internal void OnEnded()
    {
        if (!IsOpen)
        {
            Network.Forget(this);
        }
    }
}
