namespace Post.Quic.Benchmarks.Reporting;

/// <summary>One measured number.</summary>
/// <param name="Name">What it is, within its case.</param>
/// <param name="Value">The number.</param>
/// <param name="Unit">Of what.</param>
internal readonly record struct Figure(string Name, double Value, string Unit);
