using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Post.Quic.Engine.Connection;
using Post.Quic.Engine.Diagnostics;
using Post.Quic.Engine.Endpoint;
using Post.Quic.Engine.Streams;
using Post.Quic.Engine.Tls.Certificates;
using Post.Quic.Engine.Udp;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine;

/// <summary>
/// A QUIC connection: streams, datagrams, paths. All members may be called from any thread.
/// </summary>
public sealed partial class QuicConnection : IAsyncDisposable
{
    private readonly EndpointHost _host;
    private readonly QuicListener? _listener;
    private readonly RoutedConnectionIds<QuicConnection> _ids;
    private readonly HashSet<QuicStream> _streams = [];
    private readonly ConnectionDatagrams _datagrams;
    private readonly ConnectionEventQueue _events;
    private readonly Queue<TaskCompletionSource<QuicStream>> _acceptWaiters = new();
    private readonly Queue<QuicStream> _unclaimed = new();
    private readonly Queue<TaskCompletionSource<QuicStream>> _openBidirectionalWaiters = new();
    private readonly Queue<TaskCompletionSource<QuicStream>> _openUnidirectionalWaiters = new();
    private readonly TaskCompletionSource _handshake = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _confirmed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ConnectionSockets _sockets;
    private readonly ConnectionId _firstId;
    private readonly ConnectionMetrics _metrics;
    private QlogTrace? _trace;
    private QuicConnectionOptions? _options;
    private ConnectionCloseInfo? _closeInfo;
    private CertificateValidationResult? _refusal;
    private ReadOnlyMemory<byte> _addressToken;
    private bool _awaitsVerdict;
    private bool _countsAsHandshake;
    private bool _wasOffered;
    private bool _isFaulted;
    private bool _lastAcceptedWasBidirectional;
    private bool _isPushing;

    private QuicConnection(EndpointHost host, QuicListener? listener, ConnectionId firstId, QuicConnectionOptions? options)
    {
        _host = host;
        _listener = listener;
        _firstId = firstId;
        _options = options;
        _countsAsHandshake = listener is not null;
        _events = new ConnectionEventQueue(this);
        _datagrams = new ConnectionDatagrams(this, _events);
        Driver = new ConnectionDriver(host, host.Clock, OnFault, TakeEvents, _events.Raise);
        _ids = new RoutedConnectionIds<QuicConnection>(host.Router, this);
        _sockets = new ConnectionSockets(host);
        _metrics = host.Metrics.Track(listener is not null, ReadStatistics);
        RemoteEndPoint = LocalEndPoint = new IPEndPoint(IPAddress.None, 0);
    }

    /// <summary>True on the side that connected.</summary>
    public bool IsClient => _listener is null;

    /// <summary>Our address on the path in use, as last known; of several, the one with the lowest id.</summary>
    public IPEndPoint LocalEndPoint { get; private set; }

    /// <summary>The peer's address on that path; it follows the peer when it moves.</summary>
    public IPEndPoint RemoteEndPoint { get; private set; }

    /// <summary>The protocol agreed on; empty before the handshake is complete, or a server has taken early data.</summary>
    public SslApplicationProtocol NegotiatedApplicationProtocol { get; private set; }

    /// <summary>The cipher suite agreed on, once the handshake is complete.</summary>
    public TlsCipherSuite NegotiatedCipherSuite { get; private set; }

    /// <summary>The group that the keys were agreed on with, once the handshake is complete.</summary>
    public QuicKeyExchangeGroup NegotiatedKeyExchangeGroup { get; private set; }

    /// <summary>The name of the server that the client asked for; empty where it asked for none.</summary>
    public string TargetHostName { get; private set; } = string.Empty;

    /// <summary>
    /// The peer's certificate; null for a peer that showed none (see <see cref="RemotePublicKey"/>), and before the handshake is complete. Of a connection that begins
    /// with early data it is the session's until then: only its holder can read what is sent, or sent the session's first hello,
    /// but that it is there now is not shown yet. It belongs to the connection.
    /// </summary>
    public X509Certificate2? RemoteCertificate { get; private set; }

    /// <summary>
    /// The key that the peer proved to hold without a certificate; null where it showed a certificate or nothing. Known as
    /// <see cref="RemoteCertificate"/> is.
    /// </summary>
    public QuicPublicKey? RemotePublicKey { get; private set; }

    /// <summary>The session was resumed: the certificate, or the key, is the one that was validated when the session was made.</summary>
    public bool IsResumed { get; private set; }

    /// <summary>The handshake is complete; false while only early data can be sent.</summary>
    public bool IsHandshakeComplete => _handshake.Task.IsCompletedSuccessfully;

    /// <summary>The largest datagram that can be sent now, in bytes; 0 where the peer takes none.</summary>
    public int MaxDatagramSize { get; private set; }

    /// <summary>
    /// A reset stream can still deliver its beginning: both ends know RESET_STREAM_AT. Known when the peer's transport parameters are;
    /// before that, false.
    /// </summary>
    public bool CanResetReliably => Driver.IsSetUp && Driver.Core.Streams.PeerKnowsResetStreamAt;

    /// <summary>The version of QUIC in use: 1, or 0x6b3343cf for version 2.</summary>
    public int NegotiatedVersion { get; private set; }

    /// <summary>The clock of the connection: deadlines are timestamps of it.</summary>
    public TimeProvider TimeProvider => _host.Clock.TimeProvider;

    /// <summary>
    /// Ends with the connection: successfully after a close on this side, else with the <see cref="QuicException"/> that
    /// says why.
    /// </summary>
    public Task Closed => _closed.Task;

    internal ConnectionDriver Driver { get; }

    internal EndpointHost Host => _host;

    internal QuicConnectionEvents? Events => _options?.Events;

    /// <summary>Notes what the listener is to hear of.</summary>
    internal ConnectionEventQueue EventQueue => _events;

    internal bool WritesCompleteWhenSent => _options?.WritesCompleteWhenSent ?? false;

    internal long DefaultStreamErrorCode => _options?.DefaultStreamErrorCode ?? 0;

    /// <summary>Connects to a server.</summary>
    /// <param name="options">Whom to connect to, and how.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <returns>
    /// A connection whose handshake is complete, and confirmed where the server asked for a certificate; with early data, one that can send
    /// it already.
    /// </returns>
    /// <exception cref="ArgumentException">An option is out of its range or cannot be honoured; the message says which and why.</exception>
    /// <exception cref="QuicException">The handshake failed.</exception>
    /// <exception cref="SocketException">The name does not resolve, or the local address cannot be used.</exception>
    /// <exception cref="OperationCanceledException">The token was canceled.</exception>
    public static async ValueTask<QuicConnection> ConnectAsync(
        QuicClientConnectionOptions options,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        ConnectionSettings settings = options.ToSettings() with { FollowPreferredAddress = options.FollowPreferredAddress };
        IPEndPoint[] addresses = await ClientAddresses.ResolveAsync(options.RemoteEndPoint, cancellationToken).ConfigureAwait(false);
        for (int i = 0; ; i++)
        {
            try
            {
                return await ConnectToAsync(options, settings, addresses[i], cancellationToken).ConfigureAwait(false);
            }
            catch (Exception exception) when (i + 1 < addresses.Length && ClientAddresses.IsWorthAnother(exception))
            {
                // The name's next address may answer; the failure of the last is what the caller hears of.
            }
        }
    }

    /// <summary>Opens a stream without waiting.</summary>
    /// <param name="type">Its kind.</param>
    /// <returns>The stream; null where the peer's limit is reached: <see cref="OpenOutboundStreamAsync"/> waits for it.</returns>
    /// <exception cref="QuicException">The connection has ended.</exception>
    public QuicStream? TryOpenOutboundStream(QuicStreamType type)
    {
        lock (Driver.Gate)
        {
            ThrowIfClosed();
            return TryOpen(type == QuicStreamType.Bidirectional);
        }
    }

    /// <summary>Opens a stream, waiting until the peer allows one. Nothing is sent before the first write.</summary>
    /// <param name="type">Its kind.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="QuicException">The connection has ended.</exception>
    /// <exception cref="OperationCanceledException">The token was canceled.</exception>
    public ValueTask<QuicStream> OpenOutboundStreamAsync(QuicStreamType type, CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<QuicStream>(cancellationToken);
        }

        bool bidirectional = type == QuicStreamType.Bidirectional;
        TaskCompletionSource<QuicStream> waiter;
        lock (Driver.Gate)
        {
            if (_closeInfo is { } ended)
            {
                return ValueTask.FromException<QuicStream>(ToException(ended));
            }

            Queue<TaskCompletionSource<QuicStream>> waiters = OpenWaiters(bidirectional);
            DropCanceled(waiters);
            if (waiters.Count == 0 && TryOpen(bidirectional) is { } opened)
            {
                return ValueTask.FromResult(opened);
            }

            waiter = new TaskCompletionSource<QuicStream>(TaskCreationOptions.RunContinuationsAsynchronously);
            waiters.Enqueue(waiter);
        }

        // STREAMS_BLOCKED tells the peer that somebody waits.
        Driver.Wake();
        return WaitAsync(waiter, cancellationToken);
    }

    /// <summary>Waits for the next stream that the peer opened.</summary>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="InvalidOperationException"><see cref="PushInboundStreams"/> was called: streams are pushed.</exception>
    /// <exception cref="QuicException">The connection has ended.</exception>
    /// <exception cref="OperationCanceledException">The token was canceled.</exception>
    public ValueTask<QuicStream> AcceptInboundStreamAsync(CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<QuicStream>(cancellationToken);
        }

        TaskCompletionSource<QuicStream> waiter;
        lock (Driver.Gate)
        {
            ThrowIfPushing();
            if (_closeInfo is { } ended)
            {
                return ValueTask.FromException<QuicStream>(ToException(ended));
            }

            DropCanceled(_acceptWaiters);
            if (_acceptWaiters.Count == 0 && TryAcceptStream() is { } accepted)
            {
                return ValueTask.FromResult(accepted);
            }

            waiter = new TaskCompletionSource<QuicStream>(TaskCreationOptions.RunContinuationsAsynchronously);
            _acceptWaiters.Enqueue(waiter);
        }

        return WaitAsync(waiter, cancellationToken);
    }

    /// <summary>Hands over a datagram (RFC 9221). It is sent once, or not at all.</summary>
    /// <param name="payload">Its bytes, copied before the call returns.</param>
    /// <param name="priority">Its rank; a deadline is its age limit too.</param>
    /// <param name="token">A number repeated with its states in <see cref="QuicConnectionEvents.OnDatagramState"/>.</param>
    /// <param name="binding">By which paths it goes, and on how many at a time; by any of them, once, where nothing is said.</param>
    /// <exception cref="ArgumentOutOfRangeException">A negative class, or a number of copies that is out of its range.</exception>
    public QuicDatagramResult TrySendDatagram(
        ReadOnlySpan<byte> payload, QuicPriority priority = default, long token = 0, QuicPathBinding binding = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(priority.Class, nameof(priority));
        binding.Validate(nameof(binding));
        QuicDatagramResult result;
        bool isQuiet;
        lock (Driver.Gate)
        {
            if (_closeInfo is not null)
            {
                return QuicDatagramResult.Unavailable;
            }

            result = _datagrams.TrySend(payload, Urgency(priority), priority.IsRepair, token, binding);
            isQuiet = Driver.IsQuiet;
        }

        if (result == QuicDatagramResult.Queued)
        {
            Driver.WakeToSend(isQuiet);
        }

        return result;
    }

    /// <summary>
    /// Waits for a datagram. Datagrams that nobody takes wait in a bounded queue, out of which the oldest fall.
    /// </summary>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="QuicException">The connection has ended and no datagram is left.</exception>
    /// <exception cref="OperationCanceledException">The token was canceled.</exception>
    public ValueTask<ReadOnlyMemory<byte>> ReceiveDatagramAsync(CancellationToken cancellationToken = default) =>
        _datagrams.ReceiveAsync(cancellationToken);

    /// <summary>The connection's counters.</summary>
    public QuicConnectionStatistics GetStatistics()
    {
        ConnectionStatistics statistics = ReadStatistics();
        return new QuicConnectionStatistics
        {
            DatagramsSent = statistics.DatagramsSent,
            DatagramsReceived = statistics.DatagramsReceived,
            BytesSent = statistics.BytesSent,
            BytesReceived = statistics.BytesReceived,
            PacketsSent = statistics.PacketsSent,
            PacketsReceived = statistics.PacketsReceived,
            PacketsDropped = statistics.PacketsDropped,
            PacketsLost = statistics.PacketsLost,
            SpuriousLosses = statistics.SpuriousLosses,
            ProbeTimeouts = statistics.ProbeTimeouts,
            KeyUpdates = statistics.KeyUpdates,
            HandshakeDuration = TimeSpan.FromMicroseconds(statistics.HandshakeDuration),
        };
    }

    /// <summary>Keying material that both ends share and nobody else knows (RFC 8446 section 7.5).</summary>
    /// <param name="label">What it is for, in ASCII.</param>
    /// <param name="context">Bytes that it depends on.</param>
    /// <param name="output">Where it goes; its length is part of what it depends on.</param>
    /// <exception cref="InvalidOperationException">The handshake is not complete.</exception>
    public void ExportKeyingMaterial(ReadOnlySpan<byte> label, ReadOnlySpan<byte> context, Span<byte> output)
    {
        lock (Driver.Gate)
        {
            ThrowIfClosed();
            if (!IsHandshakeComplete)
            {
                throw new InvalidOperationException("Keying material can be exported once the handshake is complete.");
            }

            Driver.Core.ExportKeyingMaterial(label, context, output);
        }
    }

    /// <summary>Changes the keys of the connection (RFC 9001 section 6). It happens by itself often enough.</summary>
    /// <returns>False: the last change is not settled yet.</returns>
    public bool TryUpdateKeys()
    {
        lock (Driver.Gate)
        {
            ThrowIfClosed();
            return Driver.Core.TryUpdateKeys(Driver.Now);
        }
    }

    /// <summary>
    /// Closes the connection. What was written and not acknowledged yet is lost: whoever wants it delivered waits for
    /// <see cref="QuicStream.WritesClosed"/> first.
    /// </summary>
    /// <param name="errorCode">The application's code, which the peer is told; 0 to 2^62-1.</param>
    /// <param name="reason">A short text for the peer's log.</param>
    /// <param name="cancellationToken">Not used: closing does not wait for the peer.</param>
    /// <returns>When the close is on its way.</returns>
    public ValueTask CloseAsync(long errorCode, string reason = "", CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(errorCode);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(errorCode, QuicConnectionOptions.MaxErrorCode);
        ArgumentNullException.ThrowIfNull(reason);
        lock (Driver.Gate)
        {
            if (_closeInfo is null)
            {
                Driver.Core.Close((ulong)errorCode, reason, Driver.Now);
            }
        }

        Driver.WakeHere();
        return ValueTask.CompletedTask;
    }

    /// <summary>Closes with the default close error code, unless closed already.</summary>
    /// <returns>When the close is on its way.</returns>
    public ValueTask DisposeAsync() => CloseAsync(_options?.DefaultCloseErrorCode ?? 0);

    internal static SendUrgency UrgencyOf(QuicPriority priority, EndpointClock clock) =>
        new(priority.Class, priority.Deadline is { } deadline ? clock.FromTimestamp(deadline) : long.MaxValue);

    /// <summary>The network says that a datagram did not arrive; it may be one of this connection's.</summary>
    internal void OnUdpError(in UdpError error)
    {
        try
        {
            lock (Driver.Gate)
            {
                if (!Driver.IsSetUp || !Driver.Core.OnUdpError(error.Remote, error.Quoted, error.Error, Driver.Now))
                {
                    return;
                }
            }

            Driver.Wake();
        }
        catch (Exception fault)
        {
            OnFault(fault);
        }
    }

    /// <summary>A datagram that the listener did not take.</summary>
    internal void KeepDatagram(ReadOnlySpan<byte> payload)
    {
        lock (Driver.Gate)
        {
            _datagrams.Keep(payload);
        }
    }

    /// <summary>The endpoint closes under the connection.</summary>
    internal void Abandon()
    {
        lock (Driver.Gate)
        {
            if (!Driver.IsSetUp)
            {
                return;
            }

            Driver.Core.Dispose();
        }

        Driver.WakeHere();
    }

    /// <summary>
    /// Something was thrown where nobody waits for it: a defect of ours, or of a <see cref="QuicConnectionEvents"/>. This connection
    /// is not to be trusted any more, and no other is concerned.
    /// </summary>
    internal void OnFault(Exception error)
    {
        EngineLog.ConnectionFaulted(_host.Logger, error, _firstId);
        try
        {
            lock (Driver.Gate)
            {
                if (!Driver.IsSetUp)
                {
                    return;
                }

                if (!_isFaulted)
                {
                    _isFaulted = true;
                    Driver.Core.Fault(Driver.Now);
                }
                else
                {
                    // It cannot even say goodbye.
                    Driver.Core.Dispose();
                }
            }

            Driver.Wake();
        }
        catch (Exception again)
        {
            EngineLog.ConnectionFaulted(_host.Logger, again, _firstId);
            EndAfterFault();
        }
    }

    private void EndAfterFault()
    {
        try
        {
            Abandon();
        }
        catch (Exception last)
        {
            EngineLog.ConnectionFaulted(_host.Logger, last, _firstId);
        }
    }

    /// <summary>What the application hears of an end; each time anew, since an exception belongs to who throws it.</summary>
    internal QuicException ToException(in ConnectionCloseInfo info) => info.ToException(_refusal);

    /// <summary>Under the gate: the connection's end, if it has come.</summary>
    internal QuicException? ClosedException => _closeInfo is { } info ? ToException(info) : null;

    /// <summary>Under the gate: a stream that the application will not touch again.</summary>
    internal void Forget(QuicStream stream) => _streams.Remove(stream);

    private static async ValueTask<QuicStream> WaitAsync(TaskCompletionSource<QuicStream> waiter, CancellationToken cancellationToken)
    {
        if (!cancellationToken.CanBeCanceled)
        {
            return await waiter.Task.ConfigureAwait(false);
        }

        using CancellationTokenRegistration registration = cancellationToken.UnsafeRegister(
            static (state, token) => ((TaskCompletionSource<QuicStream>)state!).TrySetCanceled(token), waiter);
        return await waiter.Task.ConfigureAwait(false);
    }

    /// <summary>Who asks again and again with a time limit must not leave a trace of each try behind.</summary>
    private static void DropCanceled(Queue<TaskCompletionSource<QuicStream>> waiters)
    {
        while (waiters.TryPeek(out TaskCompletionSource<QuicStream>? first) && first.Task.IsCompleted)
        {
            waiters.Dequeue();
        }
    }

    private ConnectionStatistics ReadStatistics()
    {
        lock (Driver.Gate)
        {
            return Driver.IsSetUp ? Driver.Core.GetStatistics() : default;
        }
    }

    private SendUrgency Urgency(QuicPriority priority) => UrgencyOf(priority, _host.Clock);

    private Queue<TaskCompletionSource<QuicStream>> OpenWaiters(bool bidirectional) =>
        bidirectional ? _openBidirectionalWaiters : _openUnidirectionalWaiters;

    private QuicStream? TryOpen(bool bidirectional) =>
        Driver.Core.Streams.TryOpen(bidirectional, out StreamState? opened) ? Attach(opened!, isLocal: true) : null;

    // The kinds take turns, so that neither can starve the other.
    private QuicStream? TryAcceptStream()
    {
        if (_unclaimed.TryDequeue(out QuicStream? unclaimed))
        {
            return unclaimed;
        }

        StreamTable table = Driver.Core.Streams;
        bool first = !_lastAcceptedWasBidirectional;
        if (table.TryAccept(first, Driver.Now, out StreamState? accepted) || table.TryAccept(!first, Driver.Now, out accepted))
        {
            _lastAcceptedWasBidirectional = accepted!.IsBidirectional;
            QuicStream stream = Attach(accepted, isLocal: false);
            stream.OnAccepted();
            return stream;
        }

        return null;
    }

    private QuicStream Attach(StreamState transport, bool isLocal)
    {
        var stream = new QuicStream(this, transport, isLocal);
        transport.Tag = stream;
        _streams.Add(stream);
        return stream;
    }

    private void ThrowIfClosed()
    {
        if (_closeInfo is { } ended)
        {
            throw ToException(ended);
        }
    }
}
