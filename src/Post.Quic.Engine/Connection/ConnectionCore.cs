using System.Net.Security;
using System.Net.Sockets;
using Post.Quic.Engine.Addressing;
using Post.Quic.Engine.Bounds;
using Post.Quic.Engine.Datagrams;
using Post.Quic.Engine.Paths;
using Post.Quic.Engine.Streams;
using Post.Quic.Engine.Tls;
using Post.Quic.Engine.Tls.Certificates;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Connection;

/// <summary>
/// A QUIC connection without sockets, clock or threads: datagrams and time go in, datagrams, events and the time of
/// the next call come out. One thread at a time; the owner's gate sees to that.
/// </summary>
/// <remarks>
/// After any call, also after operations on <see cref="Streams"/> and <see cref="Datagrams"/>, the owner builds
/// datagrams until there are none, sends them outside the gate, and calls <see cref="HandleTimeout"/> when
/// <see cref="NextTimeout"/> has come. Times are microseconds of a monotonic clock.
/// </remarks>
internal sealed class ConnectionCore : IDisposable
{
    private readonly ConnectionState _state;
    private readonly Ingress _ingress;
    private readonly Egress _egress;
    private readonly ConnectionTimers _timers;
    private bool _isResting;

    private ConnectionCore(ConnectionState state)
    {
        _state = state;
        _ingress = new Ingress(state);
        _egress = new Egress(state);
        _timers = new ConnectionTimers(state);
    }

    /// <summary>The rooms behind the facade, for qlog and for tests that play an evil peer.</summary>
    public ConnectionState State => _state;

    /// <summary>When <see cref="HandleTimeout"/> wants to be called; <see cref="long.MaxValue"/> for never.</summary>
    public long NextTimeout => _state.Timers.Next;

    public ConnectionPhase Phase => _state.Phase;

    public bool IsServer => _state.IsServer;

    public bool IsHandshakeComplete => _state.IsHandshakeComplete;

    public bool IsHandshakeConfirmed => _state.IsHandshakeConfirmed;

    /// <summary>The negotiated version, once the peer was heard.</summary>
    public QuicVersion Version => _state.Version.Current;

    /// <summary>Why the connection ended; null while it has not.</summary>
    public ConnectionCloseInfo? CloseInfo => _state.Closing.Info;

    /// <summary>The streams; each gives its own operations. Not to be touched once the connection is over.</summary>
    public StreamTable Streams => _state.Streams;

    /// <summary>The datagrams on their way out.</summary>
    public DatagramQueue Datagrams => _state.Datagrams;

    /// <summary>The peer's transport parameters, as far as they are known.</summary>
    public Wire.Parameters.TransportParameters PeerParameters => _state.Peer;

    /// <summary>Client: early data can be sent now.</summary>
    public bool CanSendEarlyData =>
        !_state.IsServer
        && _state.Keys.CanSend(EncryptionLevel.EarlyData)
        && !_state.Keys.CanSend(EncryptionLevel.Application);

    /// <summary>
    /// When the last packet was sent, while any is on its way: what is given to be sent right after it may be gathered with more.
    /// <see cref="long.MinValue"/>: none is, and little waits to be sent; <see cref="long.MaxValue"/>: much does.
    /// </summary>
    public long BusySince
    {
        get
        {
            if (_state.IsOver || _state.Streams.UnsentBytes + _state.Datagrams.QueuedBytes > Limits.SentByCaller)
            {
                return long.MaxValue;
            }

            long last = long.MinValue;
            foreach (Path path in _state.Paths.Open)
            {
                last = path.Space.AckElicitingOutstanding == 0 ? last : Math.Max(last, path.Space.LastAckElicitingSent);
            }

            return last;
        }
    }

    /// <summary>
    /// Gives back what only traffic needs, where there is none. Returns when to ask again; <see cref="long.MaxValue"/> for not before there
    /// was traffic.
    /// </summary>
    public long Rest(long now)
    {
        if (_isResting || _state.IsOver)
        {
            return long.MaxValue;
        }

        long last = _state.CreatedAt;
        foreach (Path path in _state.Paths.Open)
        {
            last = path.Space.AckElicitingOutstanding != 0 ? now : Math.Max(last, Math.Max(path.LastHeard, path.Space.LastAckElicitingSent));
        }

        if (!_state.IsHandshakeConfirmed || _state.Streams.HasFramesToSend || now - last < Limits.TimeToRest)
        {
            return now + Limits.TimeToRest;
        }

        _state.Rest();
        _isResting = true;
        return long.MaxValue;
    }

    /// <summary>What TLS agreed on; not valid any more once the connection is over.</summary>
    public TlsSession Tls => _state.Tls;

    public SslApplicationProtocol ApplicationProtocol => _state.Tls.ApplicationProtocol;

    public PeerCredential? Peer => _state.Tls.Peer;

    public static ConnectionCore CreateClient(ConnectionSetup setup, long now)
    {
        var state = new ConnectionState(setup, isServer: false, setup.Settings.FirstVersion, now);
        var core = new ConnectionCore(state);
        state.FirstFlight.StartAsClient(now);
        core._timers.Update(now);
        return core;
    }

    /// <summary>
    /// Accepts a client; the datagram that announced it is then given to <see cref="ReceiveDatagram"/>.
    /// </summary>
    public static ConnectionCore CreateServer(ConnectionSetup setup, in ServerArrival arrival, long now)
    {
        var state = new ConnectionState(setup, isServer: true, arrival.Version, now);
        var core = new ConnectionCore(state);
        state.FirstFlight.StartAsServer(arrival, now);
        core._timers.Update(now);
        return core;
    }

    /// <summary>Takes in one UDP datagram; it is decrypted in place and not needed afterwards.</summary>
    public void ReceiveDatagram(Span<byte> datagram, in DatagramMetadata metadata, long now)
    {
        if (_state.Phase >= ConnectionPhase.Draining)
        {
            return;
        }

        Enter(now);
        _isResting = false;
        _ingress.Receive(datagram, metadata, now);
        _timers.Update(now);
    }

    /// <summary>
    /// Builds what is to be sent now into <paramref name="buffer"/>: datagrams of equal size (the last may be shorter)
    /// for one destination. Returns the bytes built; 0 when there is nothing to send at this moment. Call again until
    /// then.
    /// </summary>
    /// <param name="buffer">At least as long as the path's largest datagram; longer for batches.</param>
    /// <param name="now">The current time.</param>
    /// <param name="batch">Where the bytes go, and how they are cut.</param>
    public int BuildDatagrams(Span<byte> buffer, long now, out OutgoingDatagrams batch)
    {
        _state.Now = now;
        int length = _egress.Build(buffer, now, out batch);
        _isResting &= length == 0;
        _timers.Update(now);
        return length;
    }

    /// <summary>The machine did not send the batch: its datagrams are larger than the interface takes (EMSGSIZE).</summary>
    public void OnTooBig(in OutgoingDatagrams batch, long now)
    {
        if (_state.IsOver)
        {
            return;
        }

        foreach (Path path in _state.Paths.Open)
        {
            Network network = path.Network;
            if (network.Local == batch.Local && network.Remote == batch.Remote)
            {
                network.Transmission.OnTooBig(batch.SegmentSize, now);
                _state.PathWatch.OnChanged(path, now);
            }
        }

        _timers.Update(now);
    }

    /// <summary>
    /// The socket of a local address takes nothing at the moment, or has room again: until it does, nothing is built that goes by it, and
    /// nothing is timed that waits for that.
    /// </summary>
    public void OnSocketFull(in NetworkAddress local, bool isFull, long now)
    {
        _state.Paths.Hold(local, isFull);
        _timers.Update(now);
    }

    /// <summary>The machine refuses to send the batch: it has no way to the peer, or not from there.</summary>
    public void OnRefused(in OutgoingDatagrams batch, SocketError refusal, long now)
    {
        if (!_state.IsOver)
        {
            _state.Now = now;
            _state.Reachability.OnRefused(batch.Local, batch.Remote, refusal, now);
            _timers.Update(now);
        }
    }

    /// <summary>The network says that a datagram did not arrive.</summary>
    /// <param name="remote">Where it was sent to.</param>
    /// <param name="quoted">How it begins, as far as that is told.</param>
    /// <param name="error">What is said of it.</param>
    /// <param name="now">The current time.</param>
    /// <returns>It was one of this connection's.</returns>
    public bool OnUdpError(in NetworkAddress remote, ReadOnlySpan<byte> quoted, SocketError error, long now)
    {
        if (_state.IsOver)
        {
            return false;
        }

        _state.Now = now;
        bool isOurs = _state.Reachability.OnError(remote, quoted, error, now);
        _timers.Update(now);
        return isOurs;
    }

    public void HandleTimeout(long now)
    {
        if (now < NextTimeout)
        {
            return;
        }

        Enter(now);
        _timers.HandleTimeout(now);
        _timers.Update(now);
    }

    /// <summary>Server: answers <see cref="IConnectionEvents.OnClientHello"/>.</summary>
    /// <param name="options">For TLS.</param>
    /// <param name="now">The current time.</param>
    /// <param name="settings">For this client; null keeps those of the setup.</param>
    public void ProvideServerOptions(TlsServerOptions options, long now, ConnectionSettings? settings = null)
    {
        _state.Now = now;
        if (settings is not null && !_state.IsOver)
        {
            _state.Reconfigure(settings, now);
        }

        _state.Handshake.ProvideOptions(options, now);
        AfterTls(now);
    }

    /// <summary>Server: turns the client away (RFC 9000 section 20.1, CONNECTION_REFUSED).</summary>
    public void Refuse(string reason, long now)
    {
        _state.Now = now;
        _state.Lifecycle.Fail(new TransportError(TransportErrorCode.ConnectionRefused, reason), now);
    }

    /// <summary>A defect was met while the connection was worked on: what is left of it says so to the peer.</summary>
    public void Fault(long now)
    {
        _state.Now = now;
        _state.Lifecycle.Fail(new TransportError(TransportErrorCode.InternalError, "internal error"), now);
        _timers.Update(now);
    }

    /// <summary>Answers <see cref="IConnectionEvents.OnCertificateToValidate"/>.</summary>
    public void CompleteCertificateValidation(in CertificateValidationResult result, long now)
    {
        _state.Now = now;
        _state.Handshake.CompleteCertificateValidation(result, now);
        AfterTls(now);
    }

    /// <summary>Closes with a code of the application; what is unsent or unacknowledged is given up.</summary>
    public void Close(ulong applicationErrorCode, string reason, long now)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(applicationErrorCode, VarInt.MaxValue);
        _state.Now = now;
        _state.Lifecycle.Close(new ConnectionCloseInfo(CloseSource.Local, true, applicationErrorCode, 0, reason), now);
    }

    /// <summary>Server: gives the client a token for its next connection (RFC 9000 section 8.1.3).</summary>
    public void SendNewToken(ReadOnlySpan<byte> token)
    {
        if (_state.IsServer && !_state.IsOver && !token.IsEmpty)
        {
            _state.FrameWriter.SendNewToken(token);
        }
    }

    /// <summary>
    /// Client: validates a path from another local address and, if it works, moves to it (RFC 9000 section 9.2). False
    /// when that is not possible now: no spare connection id, the server forbids it, or the handshake is not confirmed.
    /// </summary>
    public bool TryMigrate(in NetworkAddress local, long now) => TryMigrate(local, now, out _);

    /// <inheritdoc cref="TryMigrate(in NetworkAddress, long)"/>
    /// <param name="local">Our other address.</param>
    /// <param name="now">The current time.</param>
    /// <param name="networkId">Names the network that is tried, in what is told of it.</param>
    public bool TryMigrate(in NetworkAddress local, long now, out int networkId)
    {
        _state.Now = now;
        networkId = -1;
        bool started = !_state.IsOver && _state.Paths.Main.Migration.TryMigrate(local, now, out networkId);
        _timers.Update(now);
        return started;
    }

    /// <summary>Several paths may be used at once: both sides announced it and the handshake is complete.</summary>
    public bool IsMultipath => _state.Multipath.IsEnabled;

    /// <summary>Client: opens another path, from a local address to the server's or to another of the server's addresses.</summary>
    /// <param name="local">From where.</param>
    /// <param name="remote">To where; <see cref="NetworkAddress.None"/> for where the first open path goes.</param>
    /// <param name="now">The current time.</param>
    /// <param name="pathId">Its id, where it was begun.</param>
    public PathOpening TryOpenPath(in NetworkAddress local, in NetworkAddress remote, long now, out uint pathId)
    {
        pathId = 0;
        if (_state.IsOver)
        {
            return PathOpening.NotPossible;
        }

        _state.Now = now;
        PathOpening opening = _state.Multipath.TryOpen(
            local, remote.IsNone ? _state.Paths.Main.Network.Remote : remote, now, out pathId);
        _timers.Update(now);
        return opening;
    }

    /// <summary>Gives a path up; false for one that is not there, and for the last that works.</summary>
    public bool TryAbandonPath(uint pathId, ulong errorCode, long now)
    {
        _state.Now = now;
        bool abandoned = !_state.IsOver && _state.Multipath.TryAbandon(pathId, errorCode, now);
        _timers.Update(now);
        return abandoned;
    }

    /// <summary>Says whether a path is to be kept for when nothing else works; false for one that is not there.</summary>
    public bool TrySetBackup(uint pathId, bool isBackup) => !_state.IsOver && _state.Multipath.TrySetBackup(pathId, isBackup);

    /// <summary>Asks the peer for a sign of life on each path.</summary>
    public void Ping() => _state.Paths.Ping();

    /// <summary>Changes the 1-RTT keys (RFC 9001 section 6); false when the last change is not settled yet.</summary>
    public bool TryUpdateKeys(long now)
    {
        _state.Now = now;
        return _state.KeyUpdates.TryUpdate(now);
    }

    /// <summary>Keying material for the application (RFC 8446 section 7.5), once the handshake is complete.</summary>
    public void ExportKeyingMaterial(ReadOnlySpan<byte> label, ReadOnlySpan<byte> context, Span<byte> output) =>
        _state.Tls.Export(label, context, output);

    public ConnectionStatistics GetStatistics()
    {
        ConnectionCounters counters = _state.Counters;
        (ulong lost, ulong spurious) = _state.Paths.Losses;
        return new ConnectionStatistics
        {
            DatagramsSent = counters.DatagramsSent,
            DatagramsReceived = counters.DatagramsReceived,
            BytesSent = counters.BytesSent,
            BytesReceived = counters.BytesReceived,
            BytesSentBeside = counters.BytesSentBeside,
            BytesReceivedBeside = counters.BytesReceivedBeside,
            PacketsSent = counters.PacketsSent,
            PacketsReceived = counters.PacketsReceived,
            PacketsDropped = counters.PacketsDropped.Total,
            PacketsDroppedByReason = counters.PacketsDropped,
            StreamsOpenedByUs = _state.Streams.OpenedByUs,
            StreamsOpenedByPeer = _state.Streams.OpenedByPeer,
            PacketsLost = (long)lost,
            SpuriousLosses = (long)spurious,
            ProbeTimeouts = counters.ProbeTimeouts,
            KeyUpdates = counters.KeyUpdates,
            HandshakeDuration = _state.HandshakeDuration,
        };
    }

    /// <summary>What is known of each network of each path, those of abandoned paths included until they are forgotten.</summary>
    public PathStatistics[] GetPaths()
    {
        var paths = new List<PathStatistics>();
        foreach (Path path in _state.Paths.Known)
        {
            foreach (Network? network in path.HasNetwork ? path.Networks.All : [])
            {
                if (network is not null)
                {
                    paths.Add(network.ToStatistics(path));
                }
            }
        }

        return [.. paths];
    }

    /// <summary>Gives everything back at once, without a word to the peer.</summary>
    public void Dispose() => _state.Lifecycle.EndSilently(CloseSource.Abandoned, "given up", _state.Now);

    /// <summary>
    /// Notes the time, and whether nobody called for long after we wanted to be: a machine that slept, a process that was
    /// stopped. What was measured over that time says nothing of the network.
    /// </summary>
    private void Enter(long now)
    {
        if (!_state.IsOver && NextTimeout < now - Limits.LongestStall)
        {
            _state.Paths.OnStall(now - NextTimeout, now);
        }

        _state.Now = now;
    }

    private void AfterTls(long now)
    {
        if (_state.HasNewReceiveKeys && !_state.IsOver)
        {
            _ingress.ProcessWaiting(now);
        }

        _timers.Update(now);
    }
}
