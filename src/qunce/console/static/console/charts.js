// Draws every [data-chart] from the JSON in that attribute: htmx drops data blocks from what it swaps in, attributes stay. Colours come from the page's tokens, so both themes work; ECharts draws
// on canvas and writes its tooltips as rich text, because HTML tooltips would need inline styles, which the CSP forbids.
(() => {
  "use strict";
  const drawn = new Map();

  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const number = (value, unit) => {
    if (value === null || value === undefined) return "–";
    if (unit === "ratio") return `${(value * 100).toFixed(1)}%`;
    return Number(value).toLocaleString(document.documentElement.lang, { maximumFractionDigits: 2 });
  };

  function tooltip() {
    return {
      trigger: "axis", renderMode: "richText", confine: true, backgroundColor: css("--q-surface"), borderColor: css("--q-line"),
      textStyle: { color: css("--q-ink"), fontSize: 12.5 }, padding: [8, 12], axisPointer: { lineStyle: { color: css("--q-line-strong") }, shadowStyle: { color: `${css("--c1")}14` } },
    };
  }

  function lines(data) {
    const font = css("--q-sub");
    const bars = data.series.some((series) => series.kind === "bar");
    return {
      animationDuration: 350,
      aria: { enabled: true },
      textStyle: { fontFamily: getComputedStyle(document.body).fontFamily },
      tooltip: { ...tooltip(), valueFormatter: (value) => number(value, data.unit) },
      legend: {
        right: 0, top: 0, icon: "roundRect", itemWidth: 14, itemHeight: 4, itemGap: 16, textStyle: { color: font, fontSize: 12 },
        show: data.series.length > 1,
      },
      grid: { left: 4, right: 8, top: data.series.length > 1 ? 34 : 14, bottom: 2, containLabel: true },
      xAxis: {
        type: "category", data: data.x, boundaryGap: bars, axisTick: { show: false }, axisLine: { lineStyle: { color: css("--axis") } },
        axisLabel: { color: font, hideOverlap: true, fontSize: 11.5 },
      },
      yAxis: {
        type: "value", minInterval: data.unit === "ratio" ? 0 : 1, axisLabel: { color: font, fontSize: 11.5, formatter: (value) => number(value, data.unit) },
        splitLine: { lineStyle: { color: css("--grid") } }, splitNumber: 4,
      },
      series: data.series.map((series) => {
        const color = css(`--c${series.color || 1}`);
        if (series.kind === "bar") {
          return {
            name: series.name, type: "bar", data: series.data, barMaxWidth: 12, stack: series.stack,
            itemStyle: { color: series.soft ? `${color}88` : color, borderRadius: [3, 3, 0, 0] },
          };
        }
        return {
          name: series.name, type: "line", data: series.data, showSymbol: data.x.length < 2, symbolSize: 7, connectNulls: false,
          smooth: series.kind === "mean", lineStyle: { width: series.kind === "mean" ? 1.8 : 2.4, type: series.kind === "mean" ? "dashed" : "solid", color },
          itemStyle: { color },
          areaStyle: series.kind === "area" ? { color: new echarts.graphic.LinearGradient(0, 0, 0, 1, [{ offset: 0, color: `${color}3d` }, { offset: 1, color: `${color}05` }]) } : undefined,
        };
      }),
    };
  }

  function flow(data) {
    const ink = css("--q-ink");
    const narrow = window.matchMedia("(max-width: 600px)").matches;
    const names = new Map(data.nodes.map((node) => [node.id, node.name]));
    return {
      animationDuration: 350,
      aria: { enabled: true },
      textStyle: { fontFamily: getComputedStyle(document.body).fontFamily },
      tooltip: {
        ...tooltip(), trigger: "item",
        formatter: (item) => item.dataType === "edge" ? `${names.get(item.data.source)} → ${names.get(item.data.target)}: ${number(item.value)}` : `${names.get(item.name)}: ${number(item.value)}`,
      },
      series: [{
        type: "sankey", left: 8, right: narrow ? 8 : 110, top: 8, bottom: 8, nodeWidth: 14, nodeGap: 14, draggable: false, emphasis: { focus: "adjacency" },
        data: data.nodes.map((node) => ({
          name: node.id, itemStyle: { color: css(`--c${node.color}`) },
          label: { position: narrow && node.side === ">" ? "left" : "right", color: ink, fontSize: 12, formatter: () => node.name },
        })),
        links: data.links.map(([source, target, value]) => ({ source, target, value })),
        lineStyle: { color: "source", opacity: 0.28, curveness: 0.5 },
      }],
    };
  }

  function draw(element) {
    if (!window.echarts) return;
    const data = JSON.parse(element.dataset.chart);
    const chart = drawn.get(element) || echarts.init(element, null, { renderer: "canvas" });
    drawn.set(element, chart);
    chart.setOption(data.kind === "flow" ? flow(data) : lines(data), true);
    element.dataset.ready = "1";
  }

  const drawAll = () => {
    for (const element of drawn.keys()) {
      if (!element.isConnected) {
        drawn.get(element).dispose();
        drawn.delete(element);
      }
    }
    document.querySelectorAll("[data-chart]").forEach(draw);
  };
  document.addEventListener("DOMContentLoaded", drawAll);
  document.addEventListener("qunce:theme", drawAll);
  document.addEventListener("htmx:afterSettle", drawAll);
  addEventListener("resize", () => drawn.forEach((chart) => chart.resize()));
})();
