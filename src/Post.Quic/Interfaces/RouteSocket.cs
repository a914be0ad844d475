using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Post.Quic.Interfaces;

/// <summary>A socket of rtnetlink for questions, one at a time.</summary>
[SupportedOSPlatform("linux")]
internal sealed unsafe partial class RouteSocket(Socket socket) : IDisposable
{
    private const int BufferLength = 64 << 10;

    /// <summary>The kernel answers at once; a socket that was spoiled must not hold anybody up.</summary>
    private const int Milliseconds = 1000;

    private readonly Lock _gate = new();
    private readonly byte[] _buffer = new byte[BufferLength];
    private uint _sequence;

    /// <summary>Opens a socket in the network namespace of the calling thread; null where that is refused.</summary>
    public static Socket? TryOpen(uint groups)
    {
        const int Netlink = 16;
        const int Raw = 3;
        const int CloseOnExec = 0x80000;
        const int Route = 0;
        if (!BitConverter.IsLittleEndian)
        {
            // The messages are in the machine's order, and are read here in this one.
            return null;
        }

        int descriptor = OpenSocket(Netlink, Raw | CloseOnExec, Route);
        if (descriptor < 0)
        {
            return null;
        }

        var handle = new SafeSocketHandle(descriptor, ownsHandle: true);
        uint* address = stackalloc uint[3];
        address[0] = Netlink;
        address[1] = 0;
        address[2] = groups;
        if (Bind(descriptor, address, 3 * sizeof(uint)) != 0)
        {
            handle.Dispose();
            return null;
        }

        return new Socket(handle) { ReceiveTimeout = Milliseconds };
    }

    /// <summary>Has the kernel list all that it has of one kind.</summary>
    public void Dump(ushort type, InterfaceTable table)
    {
        lock (_gate)
        {
            uint sequence = ++_sequence;
            Ask(RouteMessages.Query(type, sequence), answer => RouteMessages.Read(answer, sequence, table));
        }
    }

    /// <summary>The address from which the machine would send there; null where it has no route.</summary>
    public IPAddress? FindSource(IPAddress remote)
    {
        lock (_gate)
        {
            uint sequence = ++_sequence;
            IPAddress? source = null;
            Ask(RouteMessages.Query(remote, sequence), answer => RouteMessages.ReadSource(answer, sequence, out source));
            return source;
        }
    }

    public void Dispose() => socket.Dispose();

    private void Ask(byte[] query, Reader isAnswered)
    {
        try
        {
            socket.Send(query);
            while (socket.Receive(_buffer) is var length and > 0 && !isAnswered(_buffer.AsSpan(0, length)))
            {
            }
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // What is missing comes with the next change.
        }
    }

    private delegate bool Reader(ReadOnlySpan<byte> answer);

    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    [LibraryImport("libc", EntryPoint = "socket", SetLastError = true)]
    private static partial int OpenSocket(int family, int type, int protocol);

    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    [LibraryImport("libc", EntryPoint = "bind", SetLastError = true)]
    private static partial int Bind(int descriptor, uint* address, int length);
}
