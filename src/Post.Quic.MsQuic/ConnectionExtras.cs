using System.Net;
using System.Net.Quic;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Microsoft.Extensions.Logging;
using Post.Quic.MsQuic.Native;
using Post.Quic.SystemNetQuic;
using Post.Sockets;
using Post.Sockets.Transport;

namespace Post.Quic.MsQuic;

/// <summary>What msquic offers one connection beyond System.Net.Quic's public API.</summary>
[SupportedOSPlatform("linux")]
[SupportedOSPlatform("macos")]
[SupportedOSPlatform("windows")]
internal sealed partial class ConnectionExtras : QuicConnectionExtras, IEventTarget
{
    /// <summary>
    /// Datagrams that may wait for a listener. A peer that speaks Post sends none before our HELLO, which the listener sends; as many connections as a
    /// backlog holds wait to be accepted, and must not hold whatever is sent to them.
    /// </summary>
    private const int MaxEarlyDatagrams = 4;

    private const int MaxEarlyBytes = 4096;

    /// <summary>Tickets that wait for the handshake to name the peer; a server sends one or two.</summary>
    private const int MaxEarlyTickets = 4;

    /// <summary>
    /// What a datagram holds on every path: of the 1200 bytes that QUIC needs, less the longest short header, the AEAD's tag and
    /// the frame's own header.
    /// </summary>
    private const int LeastDatagramSize = 1200 - (1 + 20 + 4) - 16 - FrameHeader;

    /// <summary>
    /// Type and length of a DATAGRAM frame. What the peer announces bounds the whole frame (RFC 9221 section 3), but msquic, up to 2.5.9 at
    /// least, takes it for the bound of the payload; whether that or the path bounds its number it does not say, so it is taken off.
    /// </summary>
    private const int FrameHeader = 3;

    private readonly MsQuicTable _table;
    private readonly SafeHandle _handle;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly bool _givesTickets;
    private readonly MsQuicDatagrams _datagrams;
    private readonly ConnectionMeter _meter;
    private readonly Lock _gate = new();
    private Queue<(byte[] Payload, bool IsEarly, long ArrivedAt)>? _earlyDatagrams = new();
    private int _earlyBytes;
    private List<byte[]>? _earlyTickets = [];
    private Action<byte[]>? _keepTicket;
    private EventSequence? _events;
    private Action? _peerMoved;
    private bool _isResumed;

    public ConnectionExtras(
        MsQuicTable table, SafeHandle handle, TransportCapabilities capabilities, TimeProvider time, ILogger logger, bool givesTickets)
    {
        Capabilities = capabilities;
        _table = table;
        _handle = handle;
        _time = time;
        _logger = logger;
        _givesTickets = givesTickets;
        _datagrams = new MsQuicDatagrams(
            table,
            handle,
            time,
            (token, state) => Volatile.Read(ref _events)?.AddDatagramState(token, state),
            maxSize => Volatile.Read(ref _events)?.AddMaxDatagramSize(maxSize),
            () => Volatile.Read(ref _events)?.Flush());
        _meter = new ConnectionMeter(this, time);
    }

    /// <inheritdoc/>
    public override TransportCapabilities Capabilities { get; }

    /// <inheritdoc/>
    public override int MaxDatagramSize => _datagrams.MaxSize;

    /// <inheritdoc/>
    public override bool IsResumed => Volatile.Read(ref _isResumed);

    /// <inheritdoc/>
    public override void Start(EventSequence events, Action peerMoved)
    {
        lock (_gate)
        {
            while (_earlyDatagrams!.TryDequeue(out (byte[] Payload, bool IsEarly, long ArrivedAt) datagram))
            {
                events.AddDatagram(datagram.Payload, datagram.IsEarly, datagram.ArrivedAt);
            }

            _earlyDatagrams = null;
            Volatile.Write(ref _events, events);
        }

        events.Flush();

        // It may have moved before anything listened.
        Volatile.Write(ref _peerMoved, peerMoved);
        peerMoved();
    }

    /// <inheritdoc/>
    public override void KeepTickets(Action<byte[]> keep)
    {
        List<byte[]>? early;
        lock (_gate)
        {
            _keepTicket = keep;
            (early, _earlyTickets) = (_earlyTickets, null);
        }

        early?.ForEach(keep);
    }

    /// <inheritdoc/>
    public override TransportDatagramResult TrySendDatagram(ReadOnlySpan<byte> payload, in TransportPriority priority, long token) =>
        _datagrams.TrySend(payload, priority, token);

    /// <inheritdoc/>
    public override TransportStatistics GetStatistics() => _meter.Measure();

    /// <inheritdoc/>
    public override PostPath Describe(PostPath path) => _meter.Describe(path);

    /// <inheritdoc/>
    public override IStreamRanking RankingOf(QuicStream stream) =>
        new StreamRanking(rank => SetStreamRank(QuicInternals.HandleOf(stream), rank), _time);

    /// <inheritdoc/>
    public override ValueTask<IPEndPoint> MoveAsync(IPEndPoint remote, IPEndPoint? wanted, CancellationToken cancellationToken) =>
        OperatingSystem.IsLinux()
            ? new Rebinding(this, remote, _time).MoveAsync(wanted, cancellationToken)
            : throw new PlatformNotSupportedException("Connections of msquic are moved on Linux only.");

    /// <summary>Asks msquic's worker: never under a lock that an event handler takes.</summary>
    public bool TryGetStatistics(out NativeStatistics statistics)
    {
        statistics = default;
        Span<byte> bytes = MemoryMarshal.AsBytes(new Span<NativeStatistics>(ref statistics));
        return TryGetParam(NativeNumbers.ConnectionStatisticsV2, bytes);
    }

    public IPEndPoint? GetLocalEndPoint()
    {
        Span<byte> address = stackalloc byte[NativeAddress.Size];
        return TryGetParam(NativeNumbers.ConnectionLocalAddress, address) ? NativeAddress.Read(address) : null;
    }

    public bool TrySetLocalEndPoint(IPEndPoint endPoint) =>
        TrySetParam(_handle, NativeNumbers.ConnectionLocalAddress, NativeAddress.Of(endPoint));

    /// <summary>Changes the rank of a stream; a stream that has ended has none.</summary>
    private void SetStreamRank(SafeHandle stream, ushort rank) =>
        TrySetParam(stream, NativeNumbers.StreamPriority, MemoryMarshal.AsBytes(new ReadOnlySpan<ushort>(in rank)));

    public void OnEvent(nint handle, in NativeEvent nativeEvent)
    {
        switch (nativeEvent.Type)
        {
            case NativeNumbers.Connected:
                Volatile.Write(ref _isResumed, nativeEvent.IsResumed);
                FindDatagrams(handle);
                if (_givesTickets && !NativeNumbers.Succeeded(_table.SendResumptionTicket(handle)))
                {
                    LogNoTicket();
                }

                break;
            case NativeNumbers.DatagramStateChanged:
                _datagrams.Resize(nativeEvent.IsSendEnabled ? Math.Max(0, nativeEvent.MaxSendLength - FrameHeader) : 0);
                break;
            case NativeNumbers.DatagramReceived:
                OnDatagram(nativeEvent.Datagram, nativeEvent.IsEarlyData);
                break;
            case NativeNumbers.DatagramSendStateChanged:
                _datagrams.OnState(nativeEvent.SendContext, nativeEvent.SendState);
                break;
            case NativeNumbers.PeerAddressChanged:
                Volatile.Read(ref _peerMoved)?.Invoke();
                break;
            case NativeNumbers.ResumptionTicketReceived:
                OnTicket(nativeEvent.Ticket.ToArray());
                break;
            case NativeNumbers.ShutdownComplete:
                End();
                break;
            default:
                break;
        }
    }

    public void OnFailure(Exception exception) => LogFailure(exception);

    /// <summary>The last of all events came.</summary>
    public void End() => _datagrams.End();

    // A server learns whether its client takes datagrams before an event can be raised; the event reports later changes only.
    // How large they may be it cannot ask: where the client takes less, the first refusal shows it.
    private void FindDatagrams(nint handle)
    {
        Span<byte> enabled = stackalloc byte[1];
        if (MaxDatagramSize == 0
            && _table.TryGetParam(handle, NativeNumbers.ConnectionDatagramSendEnabled, enabled, out _) && enabled[0] != 0)
        {
            _datagrams.Resize(LeastDatagramSize);
        }
    }

    private void OnDatagram(ReadOnlySpan<byte> payload, bool isEarly)
    {
        if (Volatile.Read(ref _events) is not { } events)
        {
            lock (_gate)
            {
                events = _events;
                if (events is null)
                {
                    if (_earlyDatagrams!.Count < MaxEarlyDatagrams && _earlyBytes + payload.Length <= MaxEarlyBytes)
                    {
                        _earlyBytes += payload.Length;
                        _earlyDatagrams.Enqueue((payload.ToArray(), isEarly, _time.GetTimestamp()));
                    }

                    return;
                }
            }
        }

        // msquic does not say when it came to the machine.
        events.OnDatagramReceived(payload, isEarly, _time.GetTimestamp());
    }

    private void OnTicket(byte[] ticket)
    {
        Action<byte[]>? keep;
        lock (_gate)
        {
            keep = _keepTicket;
            if (keep is null && _earlyTickets!.Count < MaxEarlyTickets)
            {
                _earlyTickets.Add(ticket);
            }
        }

        keep?.Invoke(ticket);
    }

    private bool TryGetParam(uint parameter, Span<byte> value)
    {
        bool held = false;
        try
        {
            _handle.DangerousAddRef(ref held);
            return _table.TryGetParam(_handle.DangerousGetHandle(), parameter, value, out int length) && length == value.Length;
        }
        catch (ObjectDisposedException)
        {
            return false;
        }
        finally
        {
            if (held)
            {
                _handle.DangerousRelease();
            }
        }
    }

    private bool TrySetParam(SafeHandle handle, uint parameter, ReadOnlySpan<byte> value)
    {
        bool held = false;
        try
        {
            handle.DangerousAddRef(ref held);
            return _table.TrySetParam(handle.DangerousGetHandle(), parameter, value);
        }
        catch (ObjectDisposedException)
        {
            return false;
        }
        finally
        {
            if (held)
            {
                handle.DangerousRelease();
            }
        }
    }

    [LoggerMessage(1, LogLevel.Warning, "An event of msquic could not be handled")]
    private partial void LogFailure(Exception exception);

    [LoggerMessage(2, LogLevel.Debug, "msquic takes no order for a resumption ticket; this client will not resume")]
    private partial void LogNoTicket();
}
