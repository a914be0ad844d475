using Post.Sockets.Transport;

namespace Post.Sockets.Testing;

/// <summary>The failure of a connection meets many callers; each gets an exception of its own, with its own stack trace.</summary>
internal static class TransportFailures
{
    public static TransportException Again(this TransportException failure) =>
        new(failure.Reason, failure.Message, failure.ErrorCode, failure.InnerException);
}
