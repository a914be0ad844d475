using Post.Quic.Engine.Connection;
using Post.Quic.Engine.Diagnostics;

namespace Post.Quic.Engine.Endpoint;

/// <summary>What is to be done with a datagram, and by whom.</summary>
internal readonly record struct Route<T>(RouteKind Kind, T? Connection = null, int ResponseLength = 0, ServerArrival Arrival = default, EndpointDropReason DropReason = default)
    where T : class
{
    public static Route<T> Drop(EndpointDropReason reason) => new(RouteKind.Drop, DropReason: reason);

    public static Route<T> Deliver(T connection) => new(RouteKind.Deliver, connection);

    /// <summary>An answer of no length is one that the rate limit held back.</summary>
    public static Route<T> Respond(int length) =>
        length == 0 ? Drop(EndpointDropReason.RateLimited) : new(RouteKind.Respond, ResponseLength: length);

    public static Route<T> Accept(in ServerArrival arrival) => new(RouteKind.Accept, Arrival: arrival);
}
