using Post.Quic.Benchmarks.Engines;
using Post.Sockets;

namespace Post.Quic.Benchmarks.Cases.Objects;

/// <summary>What the cases have in common that run with each congestion controller.</summary>
internal static class Controllers
{
    public static string Name(string name, CongestionControl control) => control switch
    {
        CongestionControl.Auto => name,
        CongestionControl.Cubic => name + "-cubic",
        CongestionControl.Bbr => name + "-bbr",
        _ => name + "-newreno",
    };

    /// <summary>For what a case measures.</summary>
    public static string Measured(CongestionControl control) => control == CongestionControl.Auto
        ? "With the congestion controller that each has by default."
        : $"With {control}.";

    public static string? WhyNot(BenchEngine engine, CongestionControl control) =>
        control == CongestionControl.Auto || engine is ManagedEngine ? null : "Its congestion controller is not to be chosen.";

    public static ServiceOptions With(CongestionControl control, ServiceOptions options) =>
        options with { Association = options.Association with { CongestionControl = control } };
}
