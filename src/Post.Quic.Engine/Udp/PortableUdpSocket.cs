using System.Net;
using System.Net.Sockets;
using Post.Quic.Engine.Congestion;

namespace Post.Quic.Engine.Udp;

/// <summary>
/// A UDP socket over System.Net.Sockets: one datagram a call, no marks, no packet info, and no allocation thanks to the
/// overloads that take a <see cref="SocketAddress"/>. Waiting is the runtime's own business: no thread waits in here.
/// </summary>
internal sealed class PortableUdpSocket : UdpSocket
{
    /// <summary>
    /// Windows reports an ICMP "port unreachable" as a failed receive, and anyone can send one. This asks it not to.
    /// </summary>
    private const int SocketIoControlConnectionReset = unchecked((int)0x9800000C);

    /// <summary>.NET has no notification that a socket is writable; UDP send buffers drain in well under this time.</summary>
    private static readonly TimeSpan WritableDelay = TimeSpan.FromMilliseconds(1);

    private readonly Lock _sendGate = new();
    private readonly Lock _callGate = new();
    private readonly SocketAddress _to;
    private readonly Timer _writable;
    private IUdpReceiver? _receiver;
    private UdpBuffer? _buffer;
    private volatile bool _disposed;

    public PortableUdpSocket(UdpSocketOptions options)
        : base(options)
    {
        _to = new SocketAddress(Socket.AddressFamily);
        _writable = new Timer(static state => ((PortableUdpSocket)state!).OnWritable(), this, Timeout.Infinite, Timeout.Infinite);
        Socket.ReceiveBufferSize = options.ReceiveBufferSize;
        Socket.SendBufferSize = options.SendBufferSize;
        ReceiveBufferSize = Socket.ReceiveBufferSize;
        SendBufferSize = Socket.SendBufferSize;
        if (OperatingSystem.IsWindows())
        {
            Socket.IOControl(SocketIoControlConnectionReset, [0, 0, 0, 0], null);
        }

        Features = PortableDontFragment.TrySet(Socket) ? UdpFeatures.DontFragment : UdpFeatures.None;
    }

    public override string Name => "System.Net.Sockets";

    public override UdpFeatures Features { get; }

    public override void Start(IUdpReceiver receiver)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (Interlocked.CompareExchange(ref _receiver, receiver, null) is not null)
        {
            throw new InvalidOperationException("The socket was already started.");
        }

        _ = ReceiveAsync();
    }

    public override UdpSendResult Send(
        ReadOnlySpan<byte> payload, int segmentSize, in UdpRoute route, EcnCodepoint ecn, out int sent)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(segmentSize);
        sent = 0;
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
        Exception? failure = null;
        while (!_disposed)
        {
            try
            {
                _buffer ??= UdpBufferPool.Shared.Rent();
                int length = await Socket.ReceiveFromAsync(_buffer.Memory, SocketFlags.None, from).ConfigureAwait(false);
                lock (_callGate)
                {
                    if (_disposed)
                    {
                        break;
                    }

                    _receiver!.OnReceive(new UdpReceiveBatch(
                        _buffer.Span[..length],
                        length,
                        LocalAddress,
                        SocketAddressCodec.Read(from.Buffer.Span, IsIPv6),
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
        Complete(failure);
    }

    private static bool IsOfOneDatagram(SocketError error) =>
        error is SocketError.ConnectionReset
            or SocketError.ConnectionRefused
            or SocketError.NetworkReset
            or SocketError.NetworkUnreachable
            or SocketError.HostUnreachable
            or SocketError.MessageSize;
}
