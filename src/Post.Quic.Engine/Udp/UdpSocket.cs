using System.Net;
using System.Net.Sockets;
using Post.Quic.Engine.Addressing;
using Post.Quic.Engine.Congestion;

namespace Post.Quic.Engine.Udp;

/// <summary>
/// A bound UDP socket: it calls an <see cref="IUdpReceiver"/> for what arrives and sends without blocking, from any thread.
/// Steady state allocates nothing.
/// </summary>
internal abstract class UdpSocket : IDisposable
{
    /// <summary>UDP_MAX_SEGMENTS of Linux, in every version; newer ones take more, none takes less.</summary>
    public const int MaxSegmentsPerSend = 64;

    /// <summary>
    /// Bytes of one send: what a packet's 16-bit length leaves below the IPv6 and UDP headers, with or without GSO.
    /// </summary>
    public const int MaxBytesPerSend = 65535 - 40 - 8;

    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);

    protected UdpSocket(UdpSocketOptions options)
    {
        IPEndPoint local = options.LocalAddress.ToEndPoint();
        Socket = new Socket(local.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        try
        {
            if (IsIPv6)
            {
                Socket.DualMode = options.DualMode && options.LocalAddress.IsUnspecified;
            }

            if (options.BesideWildcard)
            {
                PortableReuse.Allow(Socket);
            }

            if (options.InterfaceIndex != 0)
            {
                OutgoingInterface.TrySet(Socket, options.InterfaceIndex);
            }

            Socket.Bind(local);
            Socket.Blocking = false;
            LocalAddress = NetworkAddress.FromEndPoint((IPEndPoint)Socket.LocalEndPoint!);
        }
        catch
        {
            Socket.Dispose();
            throw;
        }
    }

    /// <summary>The address bound to, with the port the kernel chose.</summary>
    public NetworkAddress LocalAddress { get; }

    public bool IsIPv6 => Socket.AddressFamily == AddressFamily.InterNetworkV6;

    /// <summary>For logs: which implementation this is.</summary>
    public abstract string Name { get; }

    public abstract UdpFeatures Features { get; }

    /// <summary>Batches are one call each: false from when on the kernel or the device refused that.</summary>
    public virtual bool IsSegmenting => (Features & UdpFeatures.Segmentation) != 0;

    /// <summary>Bytes the kernel granted, which says whether its limits are too low for the load.</summary>
    public int ReceiveBufferSize { get; protected init; }

    public int SendBufferSize { get; protected init; }

    /// <summary>
    /// Ends when the receiver will not be called any more: after <see cref="Dispose()"/>, or with the error that ended
    /// receiving.
    /// </summary>
    public Task Completion => _completion.Task;

    protected Socket Socket { get; }

    /// <exception cref="SocketException">The address is taken or not of this machine.</exception>
    /// <exception cref="PlatformNotSupportedException">The Linux socket was asked for by name and cannot be used.</exception>
    public static UdpSocket Create(UdpSocketOptions options)
    {
        UdpSocketKind kind = options.Kind;
        if (kind == UdpSocketKind.Auto)
        {
            kind = LinuxUdpSocket.IsSupported ? UdpSocketKind.Linux : UdpSocketKind.Portable;
        }

        return kind switch
        {
            UdpSocketKind.Linux when LinuxUdpSocket.IsSupported => new LinuxUdpSocket(options),
            UdpSocketKind.Linux => throw new PlatformNotSupportedException("The Linux socket needs Linux on x64 or arm64."),
            _ => new PortableUdpSocket(options),
        };
    }

    /// <summary>Starts receiving. Once; and before the first send, or nobody hears that the socket is writable again.</summary>
    public abstract void Start(IUdpReceiver receiver);

    /// <summary>
    /// Sends datagrams of <paramref name="segmentSize"/> bytes each, the last of which may be shorter, that stand one
    /// behind the other in <paramref name="payload"/>. Never blocks. Thread-safe.
    /// </summary>
    /// <param name="payload">The datagrams.</param>
    /// <param name="segmentSize">Bytes of each; the length of the payload, or more, where it is one datagram.</param>
    /// <param name="route">Where they go.</param>
    /// <param name="ecn">Their mark; ignored where <see cref="UdpFeatures.Ecn"/> is missing.</param>
    /// <param name="sent">Bytes the kernel took, whatever the result: the rest begins there.</param>
    public abstract UdpSendResult Send(
        ReadOnlySpan<byte> payload, int segmentSize, in UdpRoute route, EcnCodepoint ecn, out int sent);

    /// <summary>
    /// Asks for one call of <see cref="IUdpReceiver.OnWritable"/> when the send buffer has room. A send that would block
    /// has already asked.
    /// </summary>
    public abstract void NotifyWhenWritable();

    /// <summary>
    /// Closes the socket. It does not wait for a call of the receiver that is under way: see <see cref="Completion"/>.
    /// </summary>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    protected abstract void Dispose(bool disposing);

    protected void Complete(Exception? error = null)
    {
        if (error is null)
        {
            _completion.TrySetResult();
        }
        else if (_completion.TrySetException(error))
        {
            // Whoever does not look at the completion must not be told by the finalizer of a task.
            _ = _completion.Task.Exception;
        }
    }

    /// <summary>Fits as many whole segments as one send may have.</summary>
    protected static int BytesOfOneSend(int remaining, int segmentSize)
    {
        int segments = Math.Min(MaxSegmentsPerSend, MaxBytesPerSend / segmentSize);
        return Math.Min(remaining, Math.Max(segments, 1) * segmentSize);
    }
}
