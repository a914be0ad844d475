using System.Net;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Post.Quic.MsQuic.Native;

namespace Post.Quic.MsQuic.Linux;

/// <summary>The calls of Linux on a socket that is known by its descriptor only; glibc and musl, x64 and arm64.</summary>
[SupportedOSPlatform("linux")]
internal static unsafe partial class LinuxSocket
{
    private const int SolSocket = 1;
    private const int SocketTypeOption = 3;
    private const int AttachFilterOption = 26;
    private const int DetachFilterOption = 27;
    private const int Datagrams = 2;
    private const int Peek = 0x02;
    private const int DontWait = 0x40;
    private const int TryAgain = 11;
    private const int DuplicateCloseOnExec = 1030;

    /// <summary>BPF_RET | BPF_K: let through as many bytes of a datagram as the operand says.</summary>
    private const ushort LetThrough = 0x06;

    public static bool IsConnected(int socket, IPEndPoint local, IPEndPoint remote)
    {
        int type;
        uint size = sizeof(int);
        return GetOption(socket, SolSocket, SocketTypeOption, &type, &size) == 0
            && type == Datagrams
            && IsAt(&GetLocalName, socket, local)
            && IsAt(&GetPeerName, socket, remote);
    }

    /// <summary>Nothing waits to be read.</summary>
    public static bool IsEmpty(int socket)
    {
        byte first;
        return Receive(socket, &first, 1, Peek | DontWait) < 0 && Marshal.GetLastPInvokeError() == TryAgain;
    }

    /// <summary>From now on the kernel drops what arrives.</summary>
    public static bool TryDropAll(int socket)
    {
        var instruction = new FilterInstruction { Code = LetThrough, Operand = 0 };
        var program = new FilterProgram { Length = 1, Instructions = &instruction };
        return SetOption(socket, SolSocket, AttachFilterOption, &program, (uint)sizeof(FilterProgram)) == 0;
    }

    public static void StopDropping(int socket)
    {
        int unused = 0;
        _ = SetOption(socket, SolSocket, DetachFilterOption, &unused, sizeof(int));
    }

    /// <summary>Another descriptor of the same socket, not inherited by other programs; negative where there is none.</summary>
    public static int Duplicate(int socket) => Control(socket, DuplicateCloseOnExec, 0);

    public static void Close(int socket) => _ = CloseDescriptor(socket);

    // A socket for both families says its IPv4 addresses in the form of IPv6.
    private static bool IsAt(delegate*<int, byte*, uint*, int> ask, int socket, IPEndPoint endPoint)
    {
        byte* address = stackalloc byte[NativeAddress.Size];
        uint size = NativeAddress.Size;
        return ask(socket, address, &size) == 0
            && NativeAddress.Read(new ReadOnlySpan<byte>(address, NativeAddress.Size)) is { } found
            && found.Port == endPoint.Port
            && Unmapped(found.Address).Equals(Unmapped(endPoint.Address));
    }

    private static IPAddress Unmapped(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;

    [LibraryImport("libc", EntryPoint = "getsockname")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int GetLocalName(int socket, byte* address, uint* size);

    [LibraryImport("libc", EntryPoint = "getpeername")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int GetPeerName(int socket, byte* address, uint* size);

    [LibraryImport("libc", EntryPoint = "getsockopt")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int GetOption(int socket, int level, int option, void* value, uint* size);

    [LibraryImport("libc", EntryPoint = "setsockopt")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int SetOption(int socket, int level, int option, void* value, uint size);

    [LibraryImport("libc", EntryPoint = "recv", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint Receive(int socket, byte* buffer, nuint size, int flags);

    [LibraryImport("libc", EntryPoint = "fcntl")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Control(int descriptor, int command, nint argument);

    [LibraryImport("libc", EntryPoint = "close")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int CloseDescriptor(int descriptor);

    /// <summary>struct sock_filter</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct FilterInstruction
    {
        public ushort Code;
        public byte IfTrue;
        public byte IfFalse;
        public uint Operand;
    }

    /// <summary>struct sock_fprog</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct FilterProgram
    {
        public ushort Length;
        public FilterInstruction* Instructions;
    }
}
