using Post.Sockets.Protocol;
using Post.Sockets.Transport;

namespace Post.Sockets.Associations.Lifecycle;

/// <summary>What the end of a connection means to an application.</summary>
internal static class ConnectionErrors
{
    public static PostException Translate(TransportException exception)
    {
        if (exception.Reason == TransportErrorReason.ClosedLocally)
        {
            return new PostException(PostErrorReason.AssociationEnded, "The association was closed on this side.", exception);
        }

        if (exception.Reason != TransportErrorReason.ClosedByPeer)
        {
            return new PostException(
                exception.Reason == TransportErrorReason.NotSupported ? PostErrorReason.NotSupported : PostErrorReason.Transport,
                exception.Message,
                exception);
        }

        var code = (PostErrorCode)(exception.ErrorCode ?? 0);
        return code switch
        {
            PostErrorCode.NoError or PostErrorCode.GoingAway => new PostException(
                PostErrorReason.ClosedByPeer, "The peer closed the association.", exception),
            PostErrorCode.AssociationRefused => new PostException(
                PostErrorReason.AssociationRefused, "The listener's application refused the association.", exception),
            PostErrorCode.Aborted => new PostException(
                PostErrorReason.Aborted, "The peer's application aborted the association.", exception),
            PostErrorCode.UnknownAssociation => new PostException(
                PostErrorReason.AssociationLost,
                "The connection was lost, and the listener does not know the association any more: it restarted, or waited for as long as it "
                + "does. Whether objects without an end were delivered cannot be known; associate again and send what must not be missed.",
                exception),
            PostErrorCode.InternalError or PostErrorCode.Superseded => new PostException(
                PostErrorReason.ClosedByPeer, $"The peer closed the association ({code}): {exception.Message}", exception),
            _ => new PostException(
                PostErrorReason.ProtocolViolation,
                $"The peer closed the association because, as it says, we broke the rules of post/1 ({code}): {exception.Message}",
                exception),
        };
    }
}
