using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Post.Quic.Engine.Addressing;
using Post.Quic.Engine.Congestion;

namespace Post.Quic.Engine.Udp;

/// <summary>
/// A UDP socket over System.Net.Sockets: one datagram a call, no marks, and no allocation thanks to the overloads that take a
/// <see cref="SocketAddress"/>. Waiting is the runtime's own business: no thread waits in here.
/// </summary>
/// <remarks>
/// .NET has no way to send from an address of one's choice. So a socket that is bound to no address opens another one for each address
/// that it is asked to send from; the system then hands what comes to that address to it. Only until then is it read with packet info,
/// which costs an allocation for each datagram.
/// </remarks>
internal sealed class PortableUdpSocket : UdpSocket
{
    /// <summary>
    /// Windows reports an ICMP "port unreachable" as a failed receive, and anyone can send one. This asks it not to.
    /// </summary>
    private const int SocketIoControlConnectionReset = unchecked((int)0x9800000C);

    /// <summary>.NET has no notification that a socket is writable; UDP send buffers drain in well under this time.</summary>
    private static readonly TimeSpan WritableDelay = TimeSpan.FromMilliseconds(1);

    /// <summary>Addresses of this machine that are answered from, each by a socket; beyond it the system chooses the source.</summary>
    private const int MaxAnswering = 64;

    private readonly Lock _sendGate = new();
    private readonly Lock _callGate;
    private readonly UdpSocketOptions _options;
    private readonly ConcurrentDictionary<NetworkAddress, PortableUdpSocket> _answering = new();
    private readonly bool _isWildcard;
    private readonly SocketAddress _to;
    private readonly Timer _writable;
    private IUdpReceiver? _receiver;
    private UdpBuffer? _buffer;
    private volatile bool _disposed;

    public PortableUdpSocket(UdpSocketOptions options)
        : this(options, new Lock())
    {
    }

    private PortableUdpSocket(UdpSocketOptions options, Lock callGate)
        : base(options)
    {
        _options = options;
        _callGate = callGate;
        _isWildcard = LocalAddress.IsUnspecified;
        if (_isWildcard)
        {
            PortableReuse.Allow(Socket);
        }

        _to = new SocketAddress(Socket.AddressFamily);
        using (ExecutionContext.SuppressFlow())
        {
            _writable = new Timer(static state => ((PortableUdpSocket)state!).OnWritable(), this, Timeout.Infinite, Timeout.Infinite);
        }

        Socket.ReceiveBufferSize = options.ReceiveBufferSize;
        Socket.SendBufferSize = options.SendBufferSize;
        ReceiveBufferSize = Socket.ReceiveBufferSize;
        SendBufferSize = Socket.SendBufferSize;
        if (OperatingSystem.IsWindows())
        {
            Socket.IOControl(SocketIoControlConnectionReset, [0, 0, 0, 0], null);
        }

        Features = (PortableDontFragment.TrySet(Socket) ? UdpFeatures.DontFragment : UdpFeatures.None)
            | (SeesLocal ? UdpFeatures.PacketInfo : UdpFeatures.None);
    }

    public override string Name => "System.Net.Sockets";

    public override UdpFeatures Features { get; }

    private bool SeesLocal => _isWildcard && _options.SeeLocal;

    public override void Start(IUdpReceiver receiver)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (Interlocked.CompareExchange(ref _receiver, receiver, null) is not null)
        {
            throw new InvalidOperationException("The socket was already started.");
        }

        // What flows with the caller is the caller's; the socket outlives the call.
        using (ExecutionContext.SuppressFlow())
        {
            _ = ReceiveAsync();
        }
    }

    public override UdpSendResult Send(
        ReadOnlySpan<byte> payload, int segmentSize, in UdpRoute route, EcnCodepoint ecn, out int sent)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(segmentSize);
        sent = 0;
        if (_isWildcard && !route.Local.IsUnspecified && AnsweringFrom(route.Local) is { } there)
        {
            return there.Send(payload, segmentSize, new UdpRoute(route.Remote), ecn, out sent);
        }

        lock (_sendGate)
        {
            if (_disposed)
            {
                return UdpSendResult.Closed;
            }

            if (!SocketAddressCodec.TryWrite(route.Remote, IsIPv6, _to.Buffer.Span))
            {
                return UdpSendResult.Unreachable;
            }

            try
            {
                do
                {
                    int length = Math.Min(segmentSize, payload.Length - sent);
                    Socket.SendTo(payload.Slice(sent, length), SocketFlags.None, _to);
                    sent += length;
                }
                while (sent < payload.Length);
            }
            catch (SocketException error)
            {
                return OnError(error.SocketErrorCode);
            }
            catch (ObjectDisposedException)
            {
                return UdpSendResult.Closed;
            }

            return UdpSendResult.Sent;
        }
    }

    public override void NotifyWhenWritable()
    {
        lock (_sendGate)
        {
            if (!_disposed)
            {
                _writable.Change(WritableDelay, Timeout.InfiniteTimeSpan);
            }
        }
    }

    protected override void Dispose(bool disposing)
    {
        lock (_sendGate)
        {
            if (_disposed)
            {
                return;
            }

            _disposed = true;
        }

        _writable.Dispose();
        Socket.Dispose();
        foreach (PortableUdpSocket there in _answering.Values)
        {
            there.Dispose();
        }

        if (_receiver is null)
        {
            Complete();
        }
    }

    private UdpSendResult OnError(SocketError error)
    {
        switch (error)
        {
            case SocketError.WouldBlock:
            case SocketError.NoBufferSpaceAvailable:
                NotifyWhenWritable();
                return UdpSendResult.WouldBlock;

            case SocketError.MessageSize:
                return UdpSendResult.TooBig;

            case SocketError.NetworkUnreachable:
            case SocketError.NetworkDown:
                return UdpSendResult.Unreachable;

            case SocketError.HostUnreachable:
            case SocketError.HostDown:
                return UdpSendResult.HostUnreachable;

            case SocketError.AddressNotAvailable:
                return UdpSendResult.SourceGone;

            case SocketError.InvalidArgument:
                return UdpSendResult.InvalidAddress;

            case SocketError.AccessDenied:
                return UdpSendResult.NotPermitted;

            case SocketError.OperationAborted:
            case SocketError.NotSocket:
                return UdpSendResult.Closed;

            default:
                return UdpSendResult.Dropped;
        }
    }

    private void OnWritable()
    {
        try
        {
            lock (_callGate)
            {
                if (!_disposed)
                {
                    _receiver?.OnWritable();
                }
            }
        }
        catch (Exception error)
        {
            Complete(error);
            Dispose();
        }
    }

    private async Task ReceiveAsync()
    {
        // The receiver is never called on the thread that starts the socket.
        await Task.Yield();
        var from = new SocketAddress(Socket.AddressFamily);
        var anybody = new IPEndPoint(IsIPv6 ? IPAddress.IPv6Any : IPAddress.Any, 0);
        Exception? failure = null;
        while (!_disposed)
        {
            try
            {
                _buffer ??= UdpBufferPool.Shared.Rent();
                NetworkAddress local = LocalAddress;
                NetworkAddress remote = default;
                int length;
                if (SeesLocal)
                {
                    SocketReceiveMessageFromResult message = await Socket.ReceiveMessageFromAsync(_buffer.Memory, SocketFlags.None, anybody)
                        .ConfigureAwait(false);
                    length = message.ReceivedBytes;
                    remote = NetworkAddress.FromEndPoint((IPEndPoint)message.RemoteEndPoint);
                    local = NetworkAddress.FromEndPoint(new IPEndPoint(message.PacketInformation.Address, LocalAddress.Port));
                }
                else
                {
                    length = await Socket.ReceiveFromAsync(_buffer.Memory, SocketFlags.None, from).ConfigureAwait(false);
                    remote = SocketAddressCodec.Read(from.Buffer.Span, IsIPv6);
                }

                lock (_callGate)
                {
                    if (_disposed)
                    {
                        break;
                    }

                    _receiver!.OnReceive(new UdpReceiveBatch(
                        _buffer.Span[..length],
                        length,
                        local,
                        remote,
                        interfaceIndex: 0,
                        EcnCodepoint.NotEct,
                        age: 0));
                }
            }
            catch (SocketException error) when (IsOfOneDatagram(error.SocketErrorCode))
            {
                // Says something of one datagram, ours or the peer's; the socket is as good as before.
            }
            catch (Exception error)
            {
                failure = _disposed ? null : error;
                break;
            }
        }

        if (_buffer is not null)
        {
            UdpBufferPool.Shared.Return(_buffer);
            _buffer = null;
        }

        Dispose();
        await Task.WhenAll(_answering.Values.Select(static there => there.Completion)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        Complete(failure);
    }

    /// <summary>The socket that sends from an address of ours; null where there can be none, and the system chooses.</summary>
    private PortableUdpSocket? AnsweringFrom(in NetworkAddress local)
    {
        if (_answering.TryGetValue(local, out PortableUdpSocket? open))
        {
            return open;
        }

        lock (_sendGate)
        {
            if (_disposed || _receiver is null || _answering.Count >= MaxAnswering || _answering.TryGetValue(local, out open))
            {
                return open;
            }

            try
            {
                // An IPv4 address on a socket of both families is one of IPv4 all the same.
                open = new PortableUdpSocket(_options with { LocalAddress = local, BesideWildcard = true }, _callGate);
            }
            catch (SocketException)
            {
                // It is not of this machine any more, or somebody else has it.
                return null;
            }

            _answering[local] = open;
        }

        open.Start(_receiver);
        return open;
    }

    private static bool IsOfOneDatagram(SocketError error) =>
        error is SocketError.ConnectionReset
            or SocketError.ConnectionRefused
            or SocketError.NetworkReset
            or SocketError.NetworkUnreachable
            or SocketError.HostUnreachable
            or SocketError.MessageSize;
}
