using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Post.Quic.Engine.Congestion;

namespace Post.Quic.Engine.Udp;

/// <summary>
/// A UDP socket over sendmsg and recvmsg: one call moves a batch of datagrams (GSO, GRO), marks and addresses travel in
/// control messages.
/// </summary>
internal sealed unsafe class LinuxUdpSocket : UdpSocket
{
    /// <summary>Calls of recvmsg in turn for one socket, before others of the same reactor have theirs.</summary>
    private const int ReceivesInTurn = 32;

    /// <summary>Calls that one send repeats because of errors of earlier datagrams. An error of its own is the same each time.</summary>
    private const int MaxOldErrors = 8;

    /// <summary>Failing calls in turn after which the socket is taken for broken, or its thread would spin.</summary>
    private const int ErrorsInTurn = 64;

    private const ushort FamilyIPv4 = 2;
    private const ushort FamilyIPv6 = 10;

    private readonly Lock _gate = new();
    private readonly LinuxArrivals _arrivals = new();
    private readonly bool _dedicatedThread;
    private readonly bool _canSendEcn;
    private readonly bool _canChooseSource;
    private readonly bool _hearsErrors;
    private IUdpReceiver? _receiver;
    private LinuxReactor? _reactor;
    private Exception? _failure;
    private volatile bool _segmentation;
    private volatile bool _disposed;
    private bool _writableWatched;
    private int _errors;

    public LinuxUdpSocket(UdpSocketOptions options)
        : base(options)
    {
        _dedicatedThread = options.DedicatedThread;
        Descriptor = (int)Socket.SafeHandle.DangerousGetHandle();
        UdpFeatures features = UdpFeatures.None;
        if (SetForBothFamilies(LinuxNative.IPMtuDiscover, LinuxNative.IPv6MtuDiscover, LinuxNative.MtuDiscoverProbe))
        {
            features |= UdpFeatures.DontFragment;
        }

        if (SetForBothFamilies(LinuxNative.IPReceiveTos, LinuxNative.IPv6ReceiveTrafficClass, 1))
        {
            features |= UdpFeatures.Ecn;
        }

        // A dual-stack socket reports IPv4 addresses, mapped, in IPv6's message.
        if (IsIPv6
            ? LinuxNative.TrySetSocketOption(Descriptor, LinuxNative.SolIPv6, LinuxNative.IPv6ReceivePacketInfo, 1)
            : LinuxNative.TrySetSocketOption(Descriptor, LinuxNative.SolIP, LinuxNative.IPPacketInfo, 1))
        {
            features |= UdpFeatures.PacketInfo;
        }

        if (LinuxNative.TrySetSocketOption(Descriptor, LinuxNative.SolSocket, LinuxNative.SocketTimestamp, 1))
        {
            features |= UdpFeatures.ArrivalTime;
        }

        // Setting no segment size for the socket changes nothing and fails where the kernel does not know the option.
        if (options.AllowSegmentation
            && LinuxNative.TrySetSocketOption(Descriptor, LinuxNative.SolUdp, LinuxNative.UdpSegment, 0))
        {
            features |= UdpFeatures.Segmentation;
        }

        if (options.AllowCoalescing
            && LinuxNative.TrySetSocketOption(Descriptor, LinuxNative.SolUdp, LinuxNative.UdpGro, 1))
        {
            features |= UdpFeatures.Coalescing;
        }

        _hearsErrors = options.HearErrors && SetForBothFamilies(LinuxNative.IPReceiveError, LinuxNative.IPv6ReceiveError, 1);
        _segmentation = (features & UdpFeatures.Segmentation) != 0;
        _canSendEcn = (features & UdpFeatures.Ecn) != 0;
        _canChooseSource = (features & UdpFeatures.PacketInfo) != 0;
        Features = features;

        // Beyond net.core.rmem_max where we may (CAP_NET_ADMIN), up to it where not.
        if (!LinuxNative.TrySetSocketOption(
            Descriptor, LinuxNative.SolSocket, LinuxNative.SocketReceiveBufferForce, options.ReceiveBufferSize))
        {
            Socket.ReceiveBufferSize = options.ReceiveBufferSize;
        }

        if (!LinuxNative.TrySetSocketOption(
            Descriptor, LinuxNative.SolSocket, LinuxNative.SocketSendBufferForce, options.SendBufferSize))
        {
            Socket.SendBufferSize = options.SendBufferSize;
        }

        ReceiveBufferSize = Socket.ReceiveBufferSize;
        SendBufferSize = Socket.SendBufferSize;
    }

    public static bool IsSupported { get; } =
        OperatingSystem.IsLinux()
        && BitConverter.IsLittleEndian
        && RuntimeInformation.ProcessArchitecture is Architecture.X64 or Architecture.Arm64;

    public override string Name => "Linux (sendmsg, recvmsg)";

    public override UdpFeatures Features { get; }

    public override bool IsSegmenting => _segmentation;

    /// <summary>For the reactor.</summary>
    internal int Descriptor { get; }

    /// <summary>For the reactor.</summary>
    internal int Token { get; private set; }

    public override void Start(IUdpReceiver receiver)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_reactor is not null)
            {
                throw new InvalidOperationException("The socket was already started.");
            }

            _receiver = receiver;
            LinuxReactor reactor = _dedicatedThread
                ? LinuxReactor.CreateDedicated(LocalAddress.Port)
                : LinuxReactor.Shared;

            // The descriptor must not become another socket's while the reactor waits on it.
            bool added = false;
            Socket.SafeHandle.DangerousAddRef(ref added);
            Token = reactor.Add(this, Descriptor);
            _reactor = reactor;
        }
    }

    public override UdpSendResult Send(
        ReadOnlySpan<byte> payload, int segmentSize, in UdpRoute route, EcnCodepoint ecn, out int sent)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(segmentSize);
        sent = 0;
        bool added = false;
        try
        {
            Socket.SafeHandle.DangerousAddRef(ref added);
            return _disposed ? UdpSendResult.Closed : SendSegments(payload, segmentSize, route, ecn, ref sent);
        }
        catch (ObjectDisposedException)
        {
            return UdpSendResult.Closed;
        }
        finally
        {
            if (added)
            {
                Socket.SafeHandle.DangerousRelease();
            }
        }
    }

    public override void NotifyWhenWritable()
    {
        lock (_gate)
        {
            if (!_writableWatched && !_disposed && _reactor is not null)
            {
                _writableWatched = true;
                _reactor.WatchWritable(Token, Descriptor, watch: true);
            }
        }
    }

    /// <summary>For the reactor: the socket is ready for something.</summary>
    internal void OnReady(uint events, ref UdpBuffer? buffer)
    {
        if (_disposed)
        {
            return;
        }

        try
        {
            if ((events & LinuxNative.EpollOut) != 0)
            {
                lock (_gate)
                {
                    _writableWatched = false;
                    _reactor!.WatchWritable(Token, Descriptor, watch: false);
                }

                _receiver!.OnWritable();
            }

            if (_hearsErrors && (events & LinuxNative.EpollError) != 0)
            {
                // While any waits, the socket is ready again at once.
                LinuxErrorQueue.Read(Descriptor, IsIPv6, _receiver!);
            }

            if ((events & ~LinuxNative.EpollOut) != 0)
            {
                Receive(ref buffer);
            }
        }
        catch (Exception error)
        {
            // One broken receiver must not stop the thread that serves the others.
            _failure = error;
            Dispose();
        }
    }

    /// <summary>For the reactor: it has let go of the descriptor and will not call any more.</summary>
    internal void OnRemoved()
    {
        Socket.SafeHandle.DangerousRelease();
        Socket.Dispose();
        Complete(_failure);
    }

    protected override void Dispose(bool disposing)
    {
        lock (_gate)
        {
            if (_disposed)
            {
                return;
            }

            _disposed = true;
            if (_reactor is not null)
            {
                _reactor.Remove(this);
                return;
            }
        }

        Socket.Dispose();
        Complete();
    }

    private bool SetForBothFamilies(int nameForIPv4, int nameForIPv6, int value)
    {
        if (!IsIPv6)
        {
            return LinuxNative.TrySetSocketOption(Descriptor, LinuxNative.SolIP, nameForIPv4, value);
        }

        return LinuxNative.TrySetSocketOption(Descriptor, LinuxNative.SolIPv6, nameForIPv6, value)
            && (!Socket.DualMode || LinuxNative.TrySetSocketOption(Descriptor, LinuxNative.SolIP, nameForIPv4, value));
    }

    [SkipLocalsInit]
    private void Receive(ref UdpBuffer? buffer)
    {
        byte* name = stackalloc byte[SocketAddressCodec.IPv6Length];
        byte* control = stackalloc byte[LinuxControlReader.Capacity];
        for (int i = 0; i < ReceivesInTurn && !_disposed; i++)
        {
            buffer ??= UdpBufferPool.Shared.Rent();
            LinuxNative.IoVector vector;
            vector.Base = buffer.Pointer;
            vector.Length = UdpBuffer.Size;
            LinuxNative.MessageHeader message;
            message.Name = name;
            message.NameLength = SocketAddressCodec.IPv6Length;
            message.Vectors = &vector;
            message.VectorCount = 1;
            message.Control = control;
            message.ControlLength = LinuxControlReader.Capacity;
            message.Flags = 0;
            nint length = LinuxNative.ReceiveMessage(Descriptor, &message, LinuxNative.MessageDontWait);
            if (length < 0)
            {
                int error = Marshal.GetLastPInvokeError();
                if (error == LinuxNative.TryAgain)
                {
                    _errors = 0;
                    _arrivals.OnEmpty();
                    return;
                }

                // An ICMP error that someone sent for a datagram of ours: QUIC does not believe it, and asks again.
                if (++_errors > ErrorsInTurn)
                {
                    throw new System.Net.Sockets.SocketException(error);
                }

                continue;
            }

            _errors = 0;
            LinuxControlReader info = LinuxControlReader.Read(
                new ReadOnlySpan<byte>(control, (int)message.ControlLength), LocalAddress.Port);
            _receiver!.OnReceive(new UdpReceiveBatch(
                buffer.Span[..(int)length],
                info.SegmentSize > 0 ? info.SegmentSize : (int)length,
                info.Local.IsNone ? LocalAddress : info.Local,
                SocketAddressCodec.Read(new ReadOnlySpan<byte>(name, SocketAddressCodec.IPv6Length), IsIPv6),
                info.InterfaceIndex,
                info.Ecn,
                _arrivals.AgeOf(info.ArrivedAt)));
        }
    }

    private UdpSendResult SendSegments(
        ReadOnlySpan<byte> payload, int segmentSize, in UdpRoute route, EcnCodepoint ecn, ref int sent)
    {
        bool batches = _segmentation;
        bool refused = false;
        int oldErrors = _hearsErrors ? MaxOldErrors : 0;
        do
        {
            ReadOnlySpan<byte> rest = payload[sent..];
            int length = batches ? BytesOfOneSend(rest.Length, segmentSize) : Math.Min(rest.Length, segmentSize);
            int error = SendMessage(rest[..length], segmentSize, route, ecn);
            if (error == 0)
            {
                sent += length;
                continue;
            }

            if (error == LinuxNative.Interrupted)
            {
                continue;
            }

            if (oldErrors > 0 && error != LinuxNative.TryAgain)
            {
                // A socket that hears errors reports an ICMP message about an earlier datagram from the next call as well. It says nothing
                // about this one. Another message may arrive before the call is repeated.
                oldErrors--;
                continue;
            }

            if (length > segmentSize && error is LinuxNative.InputOutputError or LinuxNative.InvalidArgument or LinuxNative.MessageSize)
            {
                // EIO: the device cannot checksum segments. EINVAL, EMSGSIZE: a segment exceeds the device's MTU, or
                // this route cannot segment. One by one, each datagram tells what is wrong with it, if anything.
                batches = false;
                refused = error != LinuxNative.MessageSize;
                continue;
            }

            return OnError(error, choosesSource: !route.Local.IsUnspecified);
        }
        while (sent < payload.Length);

        if (refused)
        {
            // All went singly that would not go as a batch: it was the batching, and will be the next time.
            _segmentation = false;
        }

        return UdpSendResult.Sent;
    }

    private UdpSendResult OnError(int error, bool choosesSource)
    {
        switch (error)
        {
            case LinuxNative.TryAgain:
                NotifyWhenWritable();
                return UdpSendResult.WouldBlock;

            case LinuxNative.MessageSize:
                return UdpSendResult.TooBig;

            case LinuxNative.NetworkUnreachable:
            case LinuxNative.NetworkDown:
                return UdpSendResult.Unreachable;

            case LinuxNative.HostUnreachable:
                return UdpSendResult.HostUnreachable;

            case LinuxNative.AddressNotAvailable:
                return UdpSendResult.SourceGone;

            case LinuxNative.InvalidArgument:
                return choosesSource ? UdpSendResult.SourceGone : UdpSendResult.InvalidAddress;

            case LinuxNative.AccessDenied:
                return UdpSendResult.NotPermitted;

            case LinuxNative.BadDescriptor:
            case LinuxNative.NotSocket:
                return UdpSendResult.Closed;

            default:
                return UdpSendResult.Dropped;
        }
    }

    /// <summary>0, or the error's number.</summary>
    [SkipLocalsInit]
    private int SendMessage(ReadOnlySpan<byte> payload, int segmentSize, in UdpRoute route, EcnCodepoint ecn)
    {
        Span<byte> name = stackalloc byte[SocketAddressCodec.IPv6Length];
        if (!SocketAddressCodec.TryWrite(route.Remote, IsIPv6, name))
        {
            return LinuxNative.NetworkUnreachable;
        }

        MemoryMarshal.Write(name, IsIPv6 ? FamilyIPv6 : FamilyIPv4);
        bool asIPv4 = !IsIPv6 || route.Remote.IsIPv4;
        Span<byte> controlBytes = stackalloc byte[LinuxControlWriter.Capacity];
        var control = new LinuxControlWriter(controlBytes);
        if (ecn != EcnCodepoint.NotEct && _canSendEcn)
        {
            control.AddEcn(ecn, asIPv4);
        }

        // A socket bound to the address sends from it anyway.
        bool choosesSource = !route.Local.IsUnspecified && !route.Local.SameHost(LocalAddress);
        if ((choosesSource || route.InterfaceIndex != 0) && _canChooseSource)
        {
            control.AddSource(route.Local, route.InterfaceIndex, asIPv4);
        }

        if (payload.Length > segmentSize)
        {
            control.AddSegmentSize(segmentSize);
        }

        fixed (byte* payloadPointer = payload, namePointer = name, controlPointer = controlBytes)
        {
            LinuxNative.IoVector vector;
            vector.Base = payloadPointer;
            vector.Length = (nuint)payload.Length;
            LinuxNative.MessageHeader message;
            message.Name = namePointer;
            message.NameLength = (uint)(IsIPv6 ? SocketAddressCodec.IPv6Length : SocketAddressCodec.IPv4Length);
            message.Vectors = &vector;
            message.VectorCount = 1;
            message.Control = control.Length > 0 ? controlPointer : null;
            message.ControlLength = (nuint)control.Length;
            message.Flags = 0;
            nint result = LinuxNative.SendMessage(
                Descriptor, &message, LinuxNative.MessageDontWait | LinuxNative.MessageNoSignal);
            return result >= 0 ? 0 : Marshal.GetLastPInvokeError();
        }
    }
}
