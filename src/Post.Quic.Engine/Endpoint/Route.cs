using Post.Quic.Engine.Connection;

namespace Post.Quic.Engine.Endpoint;

/// <summary>What is to be done with a datagram, and by whom.</summary>
internal readonly record struct Route<T>(RouteKind Kind, T? Connection = null, int ResponseLength = 0, ServerArrival Arrival = default)
    where T : class
{
    public static Route<T> Drop => default;

    public static Route<T> Deliver(T connection) => new(RouteKind.Deliver, connection);

    public static Route<T> Respond(int length) => length == 0 ? Drop : new(RouteKind.Respond, ResponseLength: length);

    public static Route<T> Accept(in ServerArrival arrival) => new(RouteKind.Accept, Arrival: arrival);
}
