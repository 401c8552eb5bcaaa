import js from "@eslint/js";
import ts from "typescript-eslint";

export default ts.config({ ignores: ["node_modules"] }, js.configs.recommended, ...ts.configs.strict, {
  rules: { "@typescript-eslint/no-unused-expressions": "off" },
});
