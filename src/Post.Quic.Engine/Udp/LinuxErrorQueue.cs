using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Post.Quic.Engine.Addressing;

namespace Post.Quic.Engine.Udp;

/// <summary>
/// Reads what the network said of datagrams that were sent (IP_RECVERR): the address each went to, and how it begins. The kernel has
/// compared addresses and ports with those of the socket.
/// </summary>
internal static unsafe class LinuxErrorQueue
{
    /// <summary>Errors read in turn, before the datagrams that wait; a flood of them must not starve those.</summary>
    private const int ErrorsInTurn = 32;

    /// <summary>As much of a datagram as is looked at: its first header.</summary>
    private const int QuoteLength = 128;

    private const byte OriginIcmp = 2;
    private const byte OriginIcmpV6 = 3;

    /// <summary>struct sock_extended_err: errno, origin, type, code, padding, and two numbers more.</summary>
    private const int OriginOffset = 4;

    [SkipLocalsInit]
    public static void Read(int descriptor, bool isIPv6, IUdpReceiver receiver)
    {
        byte* name = stackalloc byte[SocketAddressCodec.IPv6Length];
        byte* control = stackalloc byte[LinuxControlReader.Capacity];
        byte* quote = stackalloc byte[QuoteLength];
        for (int i = 0; i < ErrorsInTurn; i++)
        {
            LinuxNative.IoVector vector;
            vector.Base = quote;
            vector.Length = QuoteLength;
            LinuxNative.MessageHeader message;
            message.Name = name;
            message.NameLength = SocketAddressCodec.IPv6Length;
            message.Vectors = &vector;
            message.VectorCount = 1;
            message.Control = control;
            message.ControlLength = LinuxControlReader.Capacity;
            message.Flags = 0;
            nint length = LinuxNative.ReceiveMessage(descriptor, &message, LinuxNative.MessageErrorQueue | LinuxNative.MessageDontWait);
            if (length < 0)
            {
                return;
            }

            if (message.NameLength > 0 && ErrorIn(new ReadOnlySpan<byte>(control, (int)message.ControlLength)) is var error and not SocketError.Success)
            {
                NetworkAddress remote = SocketAddressCodec.Read(new ReadOnlySpan<byte>(name, SocketAddressCodec.IPv6Length), isIPv6);
                receiver.OnError(new UdpError(remote, error, new ReadOnlySpan<byte>(quote, (int)length)));
            }
        }
    }

    /// <summary>What an ICMP message says of reaching the peer; nothing where it is about something else, such as the size.</summary>
    private static SocketError ErrorIn(ReadOnlySpan<byte> control)
    {
        int headerLength = sizeof(LinuxNative.ControlHeader);
        while (control.Length >= headerLength)
        {
            LinuxNative.ControlHeader header = MemoryMarshal.Read<LinuxNative.ControlHeader>(control);
            if (header.Length < (nuint)headerLength || header.Length > (nuint)control.Length)
            {
                break;
            }

            ReadOnlySpan<byte> data = control[headerLength..(int)header.Length];
            if ((header.Level, header.Type) is (LinuxNative.SolIP, LinuxNative.IPReceiveError) or (LinuxNative.SolIPv6, LinuxNative.IPv6ReceiveError)
                && data.Length > OriginOffset
                && data[OriginOffset] is OriginIcmp or OriginIcmpV6)
            {
                return MemoryMarshal.Read<int>(data) switch
                {
                    LinuxNative.ConnectionRefused => SocketError.ConnectionRefused,
                    LinuxNative.HostUnreachable => SocketError.HostUnreachable,
                    LinuxNative.NetworkUnreachable or LinuxNative.NetworkDown => SocketError.NetworkUnreachable,
                    LinuxNative.AccessDenied => SocketError.AccessDenied,
                    _ => SocketError.Success,
                };
            }

            int space = ((int)header.Length + sizeof(ulong) - 1) & ~(sizeof(ulong) - 1);
            control = control[Math.Min(space, control.Length)..];
        }

        return SocketError.Success;
    }
}
