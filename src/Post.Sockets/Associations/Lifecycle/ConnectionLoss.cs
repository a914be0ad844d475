using Post.Sockets.Protocol;
using Post.Sockets.Transport;

namespace Post.Sockets.Associations.Lifecycle;

/// <summary>Which ends of a connection are a loss that the association outlives, and which are meant.</summary>
internal static class ConnectionLoss
{
    /// <summary>
    /// Whether a connection that lived has ended though neither of the two ends meant it to. A reset counts: the other end has lost the
    /// connection, by an outage that it noticed first or by a restart, and whether it still knows the association is for it to say. So does
    /// a defect of one end's transport: it costs the connection, and what comes back is a new one.
    /// </summary>
    public static bool IsLoss(TransportException reason) => reason.Reason
        is TransportErrorReason.TimedOut or TransportErrorReason.ConnectionReset or TransportErrorReason.Unreachable
        or TransportErrorReason.GaveUp or TransportErrorReason.LocalAddressUnavailable or TransportErrorReason.Other;

    /// <summary>Whether an attempt to connect again that ended so may be repeated.</summary>
    public static bool IsPassing(TransportException reason) => reason.Reason switch
    {
        TransportErrorReason.Refused or TransportErrorReason.ClosedLocally or TransportErrorReason.HostNotFound => true,
        TransportErrorReason.ClosedByPeer => (PostErrorCode)(reason.ErrorCode ?? 0)
            is PostErrorCode.NoError or PostErrorCode.GoingAway or PostErrorCode.InternalError or PostErrorCode.MissingHello,
        _ => IsLoss(reason),
    };
}
