using System.Runtime.InteropServices;

namespace Post.Quic.Engine.Udp;

/// <summary>
/// The calls and constants of Linux that the fast path uses, for x64 and arm64, glibc and musl.
/// </summary>
/// <remarks>
/// The kernel's layouts of sockaddr, iovec, msghdr, cmsghdr, in_pktinfo and in6_pktinfo are the same on both
/// architectures. musl declares msg_iovlen, msg_controllen and cmsg_len as 32 bits with 32 bits of padding behind them
/// where glibc has 64: the same bytes on a little-endian machine as long as the values are small, which they are. The
/// one layout that differs by architecture is epoll_event, packed on x64 only: see <see cref="EpollEventSize"/>.
/// </remarks>
internal static unsafe partial class LinuxNative
{
    public const int SolIP = 0;
    public const int SolIPv6 = 41;
    public const int SolUdp = 17;
    public const int SolSocket = 1;

    public const int SocketSendBufferForce = 32;
    public const int SocketReceiveBufferForce = 33;

    /// <summary>SO_TIMESTAMPNS, and SCM_TIMESTAMPNS: a struct timespec of two 64-bit numbers.</summary>
    public const int SocketTimestamp = 35;

    public const int IPTos = 1;
    public const int IPPacketInfo = 8;
    public const int IPMtuDiscover = 10;
    public const int IPReceiveError = 11;
    public const int IPReceiveTos = 13;

    public const int IPv6MtuDiscover = 23;
    public const int IPv6ReceiveError = 25;
    public const int IPv6ReceivePacketInfo = 49;
    public const int IPv6PacketInfo = 50;
    public const int IPv6ReceiveTrafficClass = 66;
    public const int IPv6TrafficClass = 67;

    /// <summary>IP_PMTUDISC_PROBE: set DF, and ignore the kernel's own idea of the path's MTU.</summary>
    public const int MtuDiscoverProbe = 3;

    public const int UdpSegment = 103;
    public const int UdpGro = 104;

    public const int MessageDontWait = 0x40;
    public const int MessageErrorQueue = 0x2000;
    public const int MessageNoSignal = 0x4000;

    public const int Interrupted = 4;
    public const int InputOutputError = 5;
    public const int BadDescriptor = 9;
    public const int TryAgain = 11;
    public const int AccessDenied = 13;
    public const int InvalidArgument = 22;
    public const int NotSocket = 88;
    public const int MessageSize = 90;
    public const int AddressNotAvailable = 99;
    public const int NetworkDown = 100;
    public const int NetworkUnreachable = 101;
    public const int ConnectionRefused = 111;
    public const int HostUnreachable = 113;

    public const int EpollCloseOnExec = 0x80000;
    public const int EpollAdd = 1;
    public const int EpollDelete = 2;
    public const int EpollModify = 3;
    public const uint EpollIn = 0x001;
    public const uint EpollOut = 0x004;
    public const uint EpollError = 0x008;

    public const int EventCloseOnExec = 0x80000;
    public const int EventNonBlocking = 0x800;

    /// <summary>struct epoll_event is packed on x64 and naturally aligned elsewhere.</summary>
    public static readonly int EpollEventSize = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 12 : 16;

    public static readonly int EpollDataOffset = EpollEventSize - sizeof(ulong);

    [LibraryImport("libc", EntryPoint = "sendmsg", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial nint SendMessage(int socket, MessageHeader* message, int flags);

    [LibraryImport("libc", EntryPoint = "recvmsg", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial nint ReceiveMessage(int socket, MessageHeader* message, int flags);

    [LibraryImport("libc", EntryPoint = "setsockopt", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial int SetSocketOption(int socket, int level, int name, int* value, uint length);

    [LibraryImport("libc", EntryPoint = "epoll_create1", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial int EpollCreate(int flags);

    [LibraryImport("libc", EntryPoint = "epoll_ctl", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial int EpollControl(int epoll, int operation, int descriptor, byte* epollEvent);

    [LibraryImport("libc", EntryPoint = "epoll_wait", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial int EpollWait(int epoll, byte* events, int maxEvents, int timeout);

    [LibraryImport("libc", EntryPoint = "eventfd", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial int EventDescriptor(uint initialValue, int flags);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial nint Read(int descriptor, void* buffer, nuint length);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial nint Write(int descriptor, void* buffer, nuint length);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial int Close(int descriptor);

    public static bool TrySetSocketOption(int socket, int level, int name, int value) =>
        SetSocketOption(socket, level, name, &value, sizeof(int)) == 0;

    /// <summary>struct msghdr.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct MessageHeader
    {
        public byte* Name;
        public uint NameLength;
        public IoVector* Vectors;
        public nuint VectorCount;
        public byte* Control;
        public nuint ControlLength;
        public int Flags;
    }

    /// <summary>struct iovec.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct IoVector
    {
        public byte* Base;
        public nuint Length;
    }

    /// <summary>struct cmsghdr.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct ControlHeader
    {
        public nuint Length;
        public int Level;
        public int Type;
    }
}
