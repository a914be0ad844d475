using System.Net;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Microsoft.Extensions.Logging;
using Post.Sockets.Transport;

namespace Post.Quic.SystemNetQuic.Extras;

/// <summary>What msquic offers one connection beyond System.Net.Quic's public API.</summary>
[SupportedOSPlatform("linux")]
[SupportedOSPlatform("macos")]
[SupportedOSPlatform("windows")]
internal sealed partial class ConnectionExtras
{
    /// <summary>What may wait for somebody who listens: an association attaches at once, so more than this is a peer's flood.</summary>
    private const int MaxEarlyDatagrams = 256;

    /// <summary>Tickets that wait for the handshake to name the peer; a server sends one or two.</summary>
    private const int MaxEarlyTickets = 4;

    /// <summary>
    /// What a datagram holds on every path: of the 1200 bytes that QUIC needs, less the longest short header, the AEAD's tag and
    /// the frame's own header.
    /// </summary>
    private const int LeastDatagramSize = 1200 - (1 + 20 + 4) - 16 - 3;

    private readonly MsQuicTable _table;
    private readonly SafeHandle _handle;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly bool _givesTickets;
    private readonly DatagramSender _datagrams;
    private readonly Lock _gate = new();
    private Queue<(byte[] Payload, bool IsEarly)>? _earlyDatagrams = new();
    private List<byte[]>? _earlyTickets = [];
    private Action<byte[]>? _keepTicket;
    private TransportEvents? _events;
    private Action? _peerMoved;
    private int _maxDatagramSize;
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
        _datagrams = new DatagramSender(
            table, handle, time, (token, state) => Volatile.Read(ref _events)?.OnDatagramState(token, state));
    }

    /// <summary>What they can, whatever the peer can.</summary>
    public TransportCapabilities Capabilities { get; }

    /// <summary>The largest datagram; 0 while the peer takes none.</summary>
    public int MaxDatagramSize => Volatile.Read(ref _maxDatagramSize);

    public bool IsResumed => Volatile.Read(ref _isResumed);

    /// <summary>The last of all events came.</summary>
    public bool HasEnded { get; private set; }

    public void Start(TransportEvents events, Action peerMoved)
    {
        lock (_gate)
        {
            _peerMoved = peerMoved;
            while (_earlyDatagrams!.TryDequeue(out (byte[] Payload, bool IsEarly) datagram))
            {
                events.OnDatagramReceived(datagram.Payload, datagram.IsEarly);
            }

            _earlyDatagrams = null;
            Volatile.Write(ref _events, events);
        }
    }

    /// <summary>From now on tickets are kept, with those that came already.</summary>
    public void KeepTickets(Action<byte[]> keep)
    {
        List<byte[]>? early;
        lock (_gate)
        {
            _keepTicket = keep;
            (early, _earlyTickets) = (_earlyTickets, null);
        }

        early?.ForEach(keep);
    }

    public TransportDatagramResult TrySendDatagram(
        ReadOnlySpan<byte> payload, in TransportPriority priority, long token, TransportLifetimeField lifetime)
    {
        int largest = MaxDatagramSize;
        return largest == 0
            ? TransportDatagramResult.Unavailable
            : payload.Length > largest ? TransportDatagramResult.TooLarge : _datagrams.TrySend(payload, priority, token, lifetime);
    }

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
    public void SetStreamRank(SafeHandle stream, ushort rank) =>
        TrySetParam(stream, NativeNumbers.StreamPriority, MemoryMarshal.AsBytes(new ReadOnlySpan<ushort>(in rank)));

    /// <summary>An event of this connection, in msquic's callback.</summary>
    public unsafe void OnEvent(nint handle, int type, byte* nativeEvent)
    {
        // The data follow the type, aligned to 8.
        byte* data = nativeEvent + 8;
        switch (type)
        {
            case NativeNumbers.Connected:
                Volatile.Write(ref _isResumed, data[0] != 0);
                FindDatagrams(handle);
                if (_givesTickets && !_table.TrySendResumptionTicket(handle))
                {
                    LogNoTicket();
                }

                break;
            case NativeNumbers.DatagramStateChanged:
                OnDatagramsChanged(data[0] == 0 ? 0 : *(ushort*)(data + 2));
                break;
            case NativeNumbers.DatagramReceived:
                var buffer = *(NativeBuffer**)data;
                bool isEarly = (*(int*)(data + sizeof(nint)) & NativeNumbers.ReceivedAsEarlyData) != 0;
                OnDatagram(new ReadOnlySpan<byte>(buffer->Bytes, (int)buffer->Length), isEarly);
                break;
            case NativeNumbers.DatagramSendStateChanged:
                _datagrams.OnState(*(nint*)data, *(int*)(data + sizeof(nint)));
                break;
            case NativeNumbers.PeerAddressChanged:
                _peerMoved?.Invoke();
                break;
            case NativeNumbers.ResumptionTicketReceived:
                OnTicket(new ReadOnlySpan<byte>(*(byte**)(data + sizeof(nint)), *(int*)data).ToArray());
                break;
            case NativeNumbers.ShutdownComplete:
                HasEnded = true;
                _datagrams.End();
                break;
            default:
                break;
        }
    }

    /// <summary>Handling an event failed.</summary>
    public void OnFailure(Exception exception) => LogFailure(exception);

    // A server learns whether its client takes datagrams before anybody can be told by an event; that tells only of later changes.
    private void FindDatagrams(nint handle)
    {
        Span<byte> enabled = stackalloc byte[1];
        if (MaxDatagramSize == 0
            && _table.TryGetParam(handle, NativeNumbers.ConnectionDatagramSendEnabled, enabled, out _) && enabled[0] != 0)
        {
            OnDatagramsChanged(LeastDatagramSize);
        }
    }

    private void OnDatagramsChanged(int largest)
    {
        Volatile.Write(ref _maxDatagramSize, largest);
        Volatile.Read(ref _events)?.OnMaxDatagramSizeChanged(largest);
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
                    if (_earlyDatagrams!.Count < MaxEarlyDatagrams)
                    {
                        _earlyDatagrams.Enqueue((payload.ToArray(), isEarly));
                    }

                    return;
                }
            }
        }

        events.OnDatagramReceived(payload, isEarly);
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
