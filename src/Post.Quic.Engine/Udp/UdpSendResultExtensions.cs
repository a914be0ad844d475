using System.Net.Sockets;

namespace Post.Quic.Engine.Udp;

/// <summary>Which results are the machine's own word that there is no way.</summary>
internal static class UdpSendResultExtensions
{
    /// <summary>The refusal in .NET's words; <see cref="SocketError.Success"/> where the machine did not refuse.</summary>
    public static SocketError ToRefusal(this UdpSendResult result) => result switch
    {
        UdpSendResult.Unreachable => SocketError.NetworkUnreachable,
        UdpSendResult.HostUnreachable => SocketError.HostUnreachable,
        UdpSendResult.SourceGone => SocketError.AddressNotAvailable,
        UdpSendResult.InvalidAddress => SocketError.InvalidArgument,
        UdpSendResult.NotPermitted => SocketError.AccessDenied,
        _ => SocketError.Success,
    };
}
