using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;

namespace Post.Quic.MsQuic.Linux;

/// <summary>
/// Keeps from a UDP socket of this process everything that arrives for it, though the socket is another's: the kernel drops it.
/// </summary>
/// <remarks>The block holds a descriptor of its own, so the owner may close the socket in the meantime.</remarks>
[SupportedOSPlatform("linux")]
internal sealed class InboundBlock : IDisposable
{
    private const string OpenDescriptors = "/proc/self/fd";

    private readonly int _socket;
    private bool _isLifted;

    private InboundBlock(int socket) => _socket = socket;

    /// <summary>All that came before the block has been read.</summary>
    public bool IsDrained => LinuxSocket.IsEmpty(_socket);

    /// <summary>Blocks the socket that is connected from one address to another.</summary>
    public static bool TryPlace(IPEndPoint local, IPEndPoint remote, [NotNullWhen(true)] out InboundBlock? block)
    {
        foreach (string path in Directory.EnumerateFileSystemEntries(OpenDescriptors))
        {
            if (int.TryParse(Path.GetFileName(path.AsSpan()), CultureInfo.InvariantCulture, out int descriptor)
                && LinuxSocket.IsConnected(descriptor, local, remote)
                && TryPlace(descriptor, local, remote, out block))
            {
                return true;
            }
        }

        block = null;
        return false;
    }

    /// <summary>Sends through a block of its own making, and says what is not as expected.</summary>
    public static string? FindObstacle()
    {
        try
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            var itself = (IPEndPoint)socket.LocalEndPoint!;
            socket.Connect(itself);
            if (!TryPlace(itself, itself, out InboundBlock? block))
            {
                return "a socket of this process cannot be found or filtered";
            }

            using (block)
            {
                socket.Send([1]);
                if (!block.IsDrained)
                {
                    return "a filtered socket still receives";
                }
            }

            socket.Send([1]);
            return socket.Available == 1 ? null : "a socket that is filtered no more does not receive";
        }
        catch (Exception exception) when (exception
            is SocketException or IOException or UnauthorizedAccessException or DllNotFoundException or EntryPointNotFoundException)
        {
            return exception.Message;
        }
    }

    public void Dispose()
    {
        if (!_isLifted)
        {
            _isLifted = true;
            LinuxSocket.StopDropping(_socket);
            LinuxSocket.Close(_socket);
        }
    }

    // The number may be another's by now; what the duplicate stands for cannot change any more, so it is looked at again.
    private static bool TryPlace(int descriptor, IPEndPoint local, IPEndPoint remote, [NotNullWhen(true)] out InboundBlock? block)
    {
        int socket = LinuxSocket.Duplicate(descriptor);
        if (socket >= 0 && LinuxSocket.IsConnected(socket, local, remote) && LinuxSocket.TryDropAll(socket))
        {
            block = new InboundBlock(socket);
            return true;
        }

        if (socket >= 0)
        {
            LinuxSocket.Close(socket);
        }

        block = null;
        return false;
    }
}
